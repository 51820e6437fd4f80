// SPDX-License-Identifier: Apache-2.0
#include "edge/edge_ca.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "pki/csr.hpp"

namespace edge {
namespace {

void log_ca(std::string_view event, const pki::Certificate& ca, const base::Clock& clock) {
    base::log::info(event, {{"subject", ca.subject()},
                            {"issuer", ca.issuer()},
                            {"not_after", base::format_rfc3339(ca.not_after())}});
    // Certificates of an expired Edge CA help nobody, and nothing else would tell (edge-runtime.md 13.1, no.
    // 23).
    if (ca.not_after() <= clock.now())
        base::log::warning(base::events::edge_ca_missing,
                           {{"reason", "the Edge CA has expired"}, {"fix", "replace [edge_ca] cert and pk"}});
}

}  // namespace

std::string edge_ca_common_name(const std::string& device) {
    // Ids are ASCII, so cutting octets cuts characters.
    return ("iotedged workload ca " + base::to_lower(device)).substr(0, 64);
}

net::Task<base::Result<pki::Certificate>> ensure_edge_ca(WorkloadConfig config, std::string device,
                                                         KeysClient keys, CertificatesClient certificates,
                                                         const base::Clock& clock) {
    auto chain = co_await certificates.read_chain(edge_ca_id);
    const bool absent = !chain && chain.error().code == base::Code::not_found;
    if (!chain && !absent) co_return std::unexpected(std::move(chain).error());
    if (absent && config.edge_ca_supplied)
        co_return base::fail(base::Code::not_found, "the Edge CA certificate that [edge_ca] names",
                             "does not exist", "put it there, or take [edge_ca] out for a quickstart one");
    base::Result<std::string> handle = std::string();
    if (config.edge_ca_supplied)
        handle = co_await keys.load_pair(edge_ca_id);
    else
        handle = co_await keys.create_pair(edge_ca_id, config.edge_ca_key_type);
    if (!handle) co_return std::unexpected(std::move(handle).error());
    auto key = co_await keys.private_key(*handle);
    if (!key) co_return std::unexpected(std::move(key).error());
    if (chain) {
        if (!key->matches(chain->front()))
            co_return base::fail(
                base::Code::invalid_argument, "Edge CA " + chain->front().subject(),
                "does not belong to its private key",
                "cert and pk of [edge_ca] must be a pair; a quickstart CA is made anew once its "
                "certificate file is removed");
        log_ca(base::events::edge_ca_used, chain->front(), clock);
        co_return chain->front();
    }
    pki::CsrWish wish;
    wish.common_name = config.edge_ca_common_name.value_or(edge_ca_common_name(device));
    wish.ca = true;
    auto csr = pki::make_csr_pem(wish, *key);
    if (!csr) co_return std::unexpected(std::move(csr).error());
    auto made = co_await certificates.create(edge_ca_id, *std::move(csr), std::nullopt);
    if (!made) co_return std::unexpected(std::move(made).error());
    log_ca(base::events::edge_ca_made, made->front(), clock);
    co_return made->front();
}

}  // namespace edge
