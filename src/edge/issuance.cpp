// SPDX-License-Identifier: Apache-2.0
#include "edge/issuance.hpp"

#include <chrono>

#include "edge/local_api.hpp"

namespace edge {
namespace {

bool is_module(std::string_view id) {
    return id.starts_with("aziot-edged/module/");
}

}  // namespace

pki::Profile profile_of(std::string_view id) {
    if (id == "aziot-edged-ca" || id == "aziot-edged-ca-temp") return pki::Profile::edge_ca;
    if (id == "device-id" || id == "device-id-temp") return pki::Profile::device;
    if (is_module(id) && id.ends_with(":server")) return pki::Profile::server;
    if (id == "est-id" || id.starts_with("est-id-")) return pki::Profile::est_identity;
    return pki::Profile::client;
}

base::Status check_request(std::string_view id, const pki::Csr& csr) {
    if ((csr.asks_ca || csr.asks_cert_sign) && profile_of(id) != pki::Profile::edge_ca)
        return bad_parameter("csr",
                             "asks for CA:TRUE or to sign certificates, which only aziot-edged-ca and "
                             "aziot-edged-ca-temp may have");
    return {};
}

base::Result<pki::IssueInput> issue_input(std::string_view id, const pki::Csr& csr,
                                          const std::optional<Issuance>& wish) {
    const auto profile = profile_of(id);
    if (auto good = check_request(id, csr); !good) return std::unexpected(good.error());
    pki::IssueInput input{.profile = profile,
                          .key = csr.key,
                          .common_name = wish && wish->common_name ? *wish->common_name : csr.common_name,
                          .names = {},
                          .lifetime = {},
                          .client_auth = false,
                          .path_length = {},
                          .subject_der = {}};
    if (pki::rules(profile).san != pki::San::forbidden) input.names = csr.names;
    if (wish && wish->expiry_days)
        input.lifetime = std::chrono::days(*wish->expiry_days);
    else if (is_module(id))
        input.lifetime = std::chrono::days(30);
    return input;
}

}  // namespace edge
