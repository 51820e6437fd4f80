// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/events.hpp"
#include "base/log.hpp"
#include "edge/identity_service.hpp"

namespace edge {

bool IdentityService::uses_certificate(const std::string& module) const {
    return std::ranges::find(config_.x509_modules, module) != config_.x509_modules.end();
}

// The certificate that the module still uses keeps a slot, so that a renewal ends no session of it.
net::Task<base::Status> IdentityService::add_thumbprint(std::string module, std::string thumbprint) {
    auto hub = co_await registry();
    if (!hub) co_return std::unexpected(std::move(hub).error());
    const auto opened = *hub;
    auto found = co_await opened->get(module);
    if (!found) co_return std::unexpected(std::move(found).error());
    if (base::equal_ignoring_case(found->primary_thumbprint, thumbprint)) co_return base::Status{};
    auto updated = co_await opened->set_thumbprints(module, thumbprint, found->primary_thumbprint);
    if (!updated) co_return std::unexpected(std::move(updated).error());
    base::log::info(base::events::module_thumbprint_registered,
                    {{"module", module}, {"thumbprint", thumbprint}});
    co_return base::Status{};
}

net::Task<Answer> IdentityService::thumbprint(Call call) {
    if (auto allowed = may_all(call.caller); !allowed) co_return std::unexpected(std::move(allowed).error());
    if (auto good = provisioned(); !good) co_return std::unexpected(std::move(good).error());
    auto thumbprint = text_member(call.body, "thumbprint");
    if (!thumbprint) co_return std::unexpected(std::move(thumbprint).error());
    const auto octets = base::from_hex(*thumbprint);
    if (!octets || octets->size() != pki::Sha256{}.size())
        co_return bad_parameter("thumbprint", "is not 64 hexadecimal digits");
    if (!uses_certificate(call.ids[0]))
        co_return bad_parameter("module", fmt::format("{} does not have auth = \"x509\"", call.ids[0]));
    auto added = co_await add_thumbprint(call.ids[0], *thumbprint);
    if (!added)
        co_return base::fail(base::Code::not_found, "Hub client error",
                             fmt::format("caused by: {}", added.error().text()));
    co_return no_content();
}

}  // namespace edge
