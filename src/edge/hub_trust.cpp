// SPDX-License-Identifier: Apache-2.0
#include "edge/hub_trust.hpp"

#include "base/file.hpp"
#include "base/result.hpp"

namespace edge {

base::Result<std::shared_ptr<const pki::TrustBundle>> hub_trust(const HubAddress& hub) {
    if (!hub.trusted_certs) {
        SP_TRY(return, auto system, pki::TrustBundle::system());
        return std::make_shared<const pki::TrustBundle>(std::move(system));
    }
    std::vector<pki::Certificate> anchors;
    for (const auto& uri : *hub.trusted_certs) {
        SP_TRY(return, const auto file, file_of_uri(uri));
        SP_TRY(return, const auto pem, base::read_file(file, "trusted certificate"));
        SP_TRY(return, auto chain, pki::certificates_from_pem(pem, "trusted certificate " + file.string()));
        anchors.insert(anchors.end(), chain.begin(), chain.end());
    }
    return std::make_shared<const pki::TrustBundle>(std::move(anchors));
}

}  // namespace edge
