// SPDX-License-Identifier: Apache-2.0
#include "edge/identity_client.hpp"

#include "base/result.hpp"

namespace edge {
namespace {

base::Result<DeviceIdentity> device_of(const json::value& spec) {
    DeviceIdentity out;
    SP_TRY(return, out.hub, text_member(spec, "hubName"));
    SP_TRY(return, out.gateway, text_member(spec, "gatewayHost"));
    SP_TRY(return, out.device, text_member(spec, "deviceId"));
    return out;
}

base::Result<ModuleIdentity> module_identity_of(const json::value& document) {
    SP_TRY(return, const auto spec, object_member(document, "spec"));
    ModuleIdentity out;
    SP_TRY(return, out.device, device_of(spec));
    SP_TRY(return, out.module, text_member(spec, "moduleId"));
    SP_TRY(return, out.generation, text_member(spec, "genId"));
    SP_TRY(return, const auto auth, object_member(spec, "auth"));
    SP_TRY(return, out.key_handle, text_member(auth, "keyHandle"));
    return out;
}

}  // namespace

net::Task<base::Result<DeviceIdentity>> IdentityClient::device() const {
    json::value body{{"type", "aziot"}};
    auto answered = co_await call_local(service_, http::Verb::post, "/identities/device", std::move(body));
    if (!answered) co_return std::unexpected(std::move(answered).error());
    const auto spec = object_member(*answered, "spec");
    if (!spec) co_return std::unexpected(spec.error());
    co_return device_of(*spec);
}

net::Task<base::Result<ModuleIdentity>> IdentityClient::module(std::string id) const {
    auto answered = co_await call_local(service_, http::Verb::get,
                                        "/identities/modules/" + path_segment(id) + "?type=aziot");
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return module_identity_of(*answered);
}

net::Task<base::Status> IdentityClient::register_thumbprint(std::string module,
                                                            std::string thumbprint) const {
    const auto target = "/identities/modules/" + path_segment(module) + "/thumbprint";
    json::value body{{"thumbprint", thumbprint}};
    auto answered = co_await call_local(service_, http::Verb::post, target, std::move(body));
    if (!answered) co_return std::unexpected(std::move(answered).error());
    co_return base::Status{};
}

}  // namespace edge
