// SPDX-License-Identifier: Apache-2.0
#include "forge.hpp"

#include <openssl/x509v3.h>

#include <stdexcept>

namespace forge {
namespace {

void require(bool good, const char* what) {
    if (!good) throw std::runtime_error(std::string(what) + ": " + pki::take_openssl_error_text());
}

void set_name(X509* certificate, const std::string& common_name) {
    const pki::X509NamePtr name(X509_NAME_new());
    require(X509_NAME_add_entry_by_txt(name.get(), "CN", MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>(common_name.data()),
                                       static_cast<int>(common_name.size()), -1, 0) == 1,
            "name");
    X509_set_subject_name(certificate, name.get());
}

}  // namespace

base::Instant now() {
    return base::parse_rfc3339("2026-11-25T10:00:00Z").value();
}

Signed make(const Wish& wish, const Signed* issuer) {
    auto key = wish.key ? wish.key->share() : pki::PrivateKey::generate(pki::KeyType::ec_p256).value();
    const pki::X509Ptr made(X509_new());
    X509_set_version(made.get(), X509_VERSION_3);
    const auto serial = pki::random_bytes(8);
    const pki::BignumPtr number(BN_bin2bn(reinterpret_cast<const unsigned char*>(serial.data()), 8, nullptr));
    BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(made.get()));
    const auto set_time = [](ASN1_TIME* to, base::Instant when) {
        ASN1_TIME_set(to, when.time_since_epoch().count());
    };
    set_time(X509_getm_notBefore(made.get()), now() + wish.from);
    set_time(X509_getm_notAfter(made.get()), now() + wish.to);
    set_name(made.get(), wish.common_name);
    X509_set_issuer_name(made.get(), issuer ? X509_get_subject_name(issuer->certificate.handle())
                                            : X509_get_subject_name(made.get()));
    X509_set_pubkey(made.get(), key.handle());
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer ? issuer->certificate.handle() : made.get(), made.get(), nullptr, nullptr,
                   0);
    for (const auto& [name, value] : wish.extensions) {
        const pki::X509ExtensionPtr extension(
            X509V3_EXT_nconf(nullptr, &context, name.c_str(), value.c_str()));
        require(extension != nullptr, name.c_str());
        require(X509_add_ext(made.get(), extension.get(), -1) == 1, "extension");
    }
    require(X509_sign(made.get(), issuer ? issuer->key.handle() : key.handle(), wish.digest) > 0,
            "signature");
    // Read back, so that what is tested is what a peer would send.
    const auto der =
        pki::to_der<X509>(made.get(), [](X509* x, unsigned char** out) { return i2d_X509(x, out); });
    return {pki::Certificate::from_der(der).value(), std::move(key)};
}

Wish ca(std::string common_name, std::vector<std::pair<std::string, std::string>> more) {
    more.insert(more.begin(),
                {{"basicConstraints", "critical,CA:TRUE"}, {"keyUsage", "critical,keyCertSign"}});
    return {.common_name = std::move(common_name), .extensions = std::move(more)};
}

Wish leaf(std::string common_name, std::string san, std::vector<std::pair<std::string, std::string>> more) {
    more.insert(more.begin(), {"keyUsage", "critical,digitalSignature"});
    if (!san.empty()) more.emplace_back("subjectAltName", std::move(san));
    return {.common_name = std::move(common_name), .extensions = std::move(more)};
}

}  // namespace forge
