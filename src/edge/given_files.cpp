// SPDX-License-Identifier: Apache-2.0
#include "edge/given_files.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/result.hpp"
#include "pki/certificate.hpp"
#include "pki/key.hpp"

namespace edge {
namespace {

base::Result<pki::Chain> read_chain(const Uri& uri, const std::string& thing) {
    SP_TRY(return, const auto file, file_of_uri(uri));
    SP_TRY(return, const auto pem, base::read_file(file, thing));
    return pki::certificates_from_pem(pem, fmt::format("{} {}", thing, file.string()));
}

base::Status check_pair(const Uri& certificate, const Uri& key_uri, const std::string& whose) {
    SP_TRY(return, const auto chain, read_chain(certificate, whose + " certificate"));
    if (!key_uri.starts_with("file:")) return {};
    SP_TRY(return, const auto key, pki::PrivateKey::load(key_uri, whose + " key"));
    if (key.matches(chain.front())) return {};
    return base::fail(base::Code::invalid_argument, fmt::format("{} key {}", whose, key_uri),
                      fmt::format("does not belong to the first certificate of {} ({})", certificate,
                                  chain.front().subject()),
                      "name a certificate and the key that it was made for");
}

}  // namespace

base::Status check_given_files(const Configuration& configuration) {
    if (configuration.device) {
        const auto& device = *configuration.device;
        if (const auto* x509 = std::get_if<X509Credential>(&device.credential)) {
            if (const auto* certificate = std::get_if<Uri>(&x509->certificate))
                if (auto good = check_pair(*certificate, x509->key, "device"); !good) return good;
        } else if (const auto& key = std::get<SymmetricCredential>(device.credential); !key.value) {
            if (const auto file = file_of_uri(key.uri)) {
                SP_TRY(return, const auto bytes, base::read_secret_file(*file, "device key"));
            }
        }
        if (device.hub.trusted_certs)
            for (const auto& uri : *device.hub.trusted_certs) {
                SP_TRY(return, const auto chain, read_chain(uri, "trusted certificate"));
            }
    }
    if (configuration.edge_ca.certificate)
        if (auto good = check_pair(*configuration.edge_ca.certificate, *configuration.edge_ca.key, "Edge CA");
            !good)
            return good;
    if (configuration.local_ca)
        if (auto good = check_pair(configuration.local_ca->first, configuration.local_ca->second, "local CA");
            !good)
            return good;
    if (configuration.trust_bundle) {
        SP_TRY(return, const auto chain, read_chain(*configuration.trust_bundle, "trust bundle"));
    }
    return {};
}

}  // namespace edge
