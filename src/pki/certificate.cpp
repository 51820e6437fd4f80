// SPDX-License-Identifier: Apache-2.0
#include "pki/certificate.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <ctime>

#include "base/result.hpp"
#include "pki/extension.hpp"
#include "pki/general_name.hpp"
#include "pki/key.hpp"
#include "pki/openssl.hpp"

namespace pki {
namespace {

constexpr std::string_view begin_mark = "-----BEGIN ";

// A date that does not parse makes its certificate one that is never valid.
base::Instant instant(const ASN1_TIME* time, base::Instant otherwise) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        clear_openssl_errors();
        return otherwise;
    }
    return base::Instant{std::chrono::seconds{timegm(&parts)}};
}

}  // namespace

Certificate::Certificate(std::shared_ptr<x509_st> handle)
    : handle_(std::move(handle)),
      der_(std::make_shared<const base::Bytes>(
          to_der<X509>(handle_.get(), [](X509* x, unsigned char** out) { return i2d_X509(x, out); }))),
      sha256_(std::make_shared<const Sha256>(pki::sha256(*der_))) {
    // OpenSSL caches extension flags on first use; doing that here makes the handle read-only afterwards.
    X509_check_purpose(handle_.get(), -1, 0);
    clear_openssl_errors();
}

base::Result<Certificate> Certificate::from_der(std::span<const std::byte> der, std::string thing) {
    const auto* first = reinterpret_cast<const unsigned char*>(der.data());
    const auto* at = first;
    X509Ptr parsed(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (!parsed) return openssl_error(base::Code::malformed, std::move(thing), "is not an X.509 certificate");
    if (at != first + der.size())
        return base::fail(base::Code::malformed, std::move(thing),
                          fmt::format("has {} bytes behind its end", first + der.size() - at));
    return Certificate(std::shared_ptr<x509_st>(parsed.release(), X509_free));
}

base::Result<Certificate> Certificate::from_pem(std::string_view pem, std::string thing) {
    const auto blocks = pem_blocks(pem, PEM_STRING_X509, 1);
    if (blocks.empty())
        return base::fail(base::Code::malformed, std::move(thing), "is not a PEM certificate",
                          "it must hold a block -----BEGIN CERTIFICATE-----");
    return from_der(blocks.front(), std::move(thing));
}

base::Result<Certificate> Certificate::read(std::span<const std::byte> content, std::string thing) {
    if (looks_like_der(content)) return from_der(content, std::move(thing));
    return from_pem(base::as_text(content), std::move(thing));
}

Certificate Certificate::share(x509_st* handle) {
    X509_up_ref(handle);
    return Certificate(std::shared_ptr<x509_st>(handle, X509_free));
}

std::string Certificate::pem() const {
    const BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(out.get(), handle());
    return bio_text(out.get());
}

std::string Certificate::subject() const {
    return name_text(X509_get_subject_name(handle()));
}
std::string Certificate::issuer() const {
    return name_text(X509_get_issuer_name(handle()));
}

std::vector<std::string> Certificate::common_names() const {
    return common_names_of(X509_get_subject_name(handle()));
}

std::string Certificate::common_name() const {
    auto names = common_names();
    return names.empty() ? std::string() : std::move(names.back());
}

std::vector<std::string> Certificate::subject_alternative_names() const {
    const GeneralNamesPtr names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(handle(), NID_subject_alt_name, nullptr, nullptr)));
    clear_openssl_errors();
    return names ? general_names_text(names.get()) : std::vector<std::string>();
}

std::string Certificate::serial_hex() const {
    const BignumPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(handle()), nullptr));
    const std::unique_ptr<char, FreeOpenSsl> text(number ? BN_bn2hex(number.get()) : nullptr);
    return text ? text.get() : "";
}

base::Instant Certificate::not_before() const {
    constexpr base::Instant end_of_9999{std::chrono::seconds{253402300799}};
    return instant(X509_get0_notBefore(handle()), end_of_9999);
}
base::Instant Certificate::not_after() const {
    return instant(X509_get0_notAfter(handle()), base::Instant{});
}

bool Certificate::is_ca() const {
    const BasicConstraintsPtr basic(
        static_cast<BASIC_CONSTRAINTS*>(X509_get_ext_d2i(handle(), NID_basic_constraints, nullptr, nullptr)));
    clear_openssl_errors();
    return basic && basic->ca != 0;
}

bool Certificate::is_self_issued() const {
    return X509_NAME_cmp(X509_get_subject_name(handle()), X509_get_issuer_name(handle())) == 0;
}

std::string Certificate::key_description() const {
    const auto text = PublicKey::of(*this).description();
    clear_openssl_errors();
    return text;
}

std::optional<std::vector<std::string>> Certificate::extended_key_usage() const {
    const ExtendedKeyUsagePtr usage(
        static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(handle(), NID_ext_key_usage, nullptr, nullptr)));
    if (!usage) {
        clear_openssl_errors();
        return std::nullopt;
    }
    return usage_names(usage.get());
}

Sha1 Certificate::sha1() const {
    return pki::sha1(der());
}

base::Result<Chain> certificates_from_pem(std::string_view pem, std::string thing, std::size_t limit) {
    Chain chain;
    while (true) {
        const auto begin = pem.find(begin_mark);
        if (begin == std::string_view::npos) break;
        pem.remove_prefix(begin);
        const auto label_end = pem.find("-----", begin_mark.size());
        const auto label = pem.substr(begin_mark.size(), label_end == std::string_view::npos
                                                             ? std::string_view::npos
                                                             : label_end - begin_mark.size());
        if (label.find("PRIVATE KEY") != std::string_view::npos)
            return base::fail(base::Code::invalid_argument, std::move(thing), "holds a private key",
                              "keep the key in a file of its own and give certificates alone");
        // Its trust settings would be lost unseen.
        if (label == "TRUSTED CERTIFICATE")
            return base::fail(base::Code::unsupported, std::move(thing),
                              "holds a certificate with OpenSSL's trust settings",
                              "convert it with openssl x509 -in OLD -out NEW");
        const std::string end_mark = fmt::format("-----END {}-----", label);
        const auto end = pem.find(end_mark);
        if (end == std::string_view::npos)
            return base::fail(base::Code::malformed,
                              fmt::format("{}, certificate {}", thing, chain.size() + 1), "has no end mark",
                              "give the file whole");
        const auto block = pem.substr(0, end + end_mark.size());
        if (label == "CERTIFICATE" || label == "X509 CERTIFICATE") {
            if (chain.size() == limit)
                return base::fail(base::Code::too_large, std::move(thing),
                                  fmt::format("holds more than {} certificates", limit));
            auto one =
                Certificate::from_pem(block, fmt::format("{}, certificate {}", thing, chain.size() + 1));
            if (!one) return std::unexpected(std::move(one).error());
            chain.push_back(*std::move(one));
        }
        pem.remove_prefix(block.size());
    }
    if (chain.empty())
        return base::fail(base::Code::malformed, std::move(thing), "holds no PEM certificate",
                          "it must hold a block -----BEGIN CERTIFICATE-----");
    return chain;
}

std::string to_pem(const Chain& chain) {
    std::string all;
    for (const auto& one : chain) all += one.pem();
    return all;
}

bool looks_like_der(std::span<const std::byte> content) {
    constexpr std::byte sequence{0x30};
    return !content.empty() && content.front() == sequence;
}

std::string with_colons(std::span<const std::byte> digest) {
    const auto hex = base::to_hex_upper(digest);
    std::string out;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        if (i != 0) out += ':';
        out.append(hex, i, 2);
    }
    return out;
}

}  // namespace pki
