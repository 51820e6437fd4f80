// SPDX-License-Identifier: Apache-2.0
#include "pki/trust_bundle.hpp"

#include <cstdlib>

#include "base/file.hpp"
#include "base/result.hpp"

namespace pki {
namespace {

constexpr std::size_t most_anchors = 1000;
constexpr const char* debian_bundle = "/etc/ssl/certs/ca-certificates.crt";

}  // namespace

base::Result<TrustBundle> TrustBundle::from_pem(std::string_view pem, std::string thing) {
    SP_TRY(return, auto anchors, certificates_from_pem(pem, std::move(thing), most_anchors));
    return TrustBundle(std::move(anchors));
}

base::Result<TrustBundle> TrustBundle::system() {
    const char* chosen = std::getenv("SSL_CERT_FILE");
    const std::string path = chosen && *chosen ? chosen : debian_bundle;
    auto pem = base::read_file(path, "trust store");
    if (!pem) {
        auto error = std::move(pem).error();
        if (error.fix.empty())
            error.fix = "install ca-certificates, or set SSL_CERT_FILE to a PEM file of roots";
        return std::unexpected(std::move(error));
    }
    return from_pem(*pem, "trust store " + path);
}

}  // namespace pki
