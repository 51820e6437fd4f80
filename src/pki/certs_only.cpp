// SPDX-License-Identifier: Apache-2.0
#include "pki/certs_only.hpp"

#include <openssl/pkcs7.h>

#include <limits>
#include <memory>

#include "base/result.hpp"
#include "pki/asn1.hpp"
#include "pki/openssl.hpp"

namespace pki {
namespace {

using Pkcs7Ptr = std::unique_ptr<PKCS7, FreeWith<PKCS7_free>>;

constexpr std::string_view signed_data_oid = "1.2.840.113549.1.7.2";
constexpr std::string_view data_oid = "1.2.840.113549.1.7.1";
constexpr int most_certificates = 1000;

auto not_certs_only(std::string reason) {
    return base::fail(base::Code::malformed, "certs-only message", std::move(reason));
}

}  // namespace

base::Bytes certs_only(std::span<const pki::Certificate> certificates) {
    base::Bytes all;
    for (const auto& certificate : certificates)
        all.insert(all.end(), certificate.der().begin(), certificate.der().end());
    // Written by hand: OpenSSL's PKCS7 adds an empty content, and its CMS sorts the certificates, whose order
    // decides for readers that take the first match (est-and-pki.md 2).
    return asn1::sequence(
        {asn1::oid(signed_data_oid),
         asn1::value(asn1::context(0),
                     {asn1::sequence({asn1::integer(1), asn1::set({}), asn1::sequence({asn1::oid(data_oid)}),
                                      all.empty() ? base::Bytes{} : asn1::value(asn1::context(0), all),
                                      asn1::set({})})})});
}

base::Result<pki::Chain> read_certs_only(std::span<const std::byte> ber) {
    if (ber.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        return not_certs_only("is too large");
    const auto* first = reinterpret_cast<const unsigned char*>(ber.data());
    const auto* at = first;
    const Pkcs7Ptr message(d2i_PKCS7(nullptr, &at, static_cast<long>(ber.size())));
    if (!message) return openssl_error(base::Code::malformed, "certs-only message", "is no PKCS#7 structure");
    if (at != first + ber.size()) return not_certs_only("has bytes behind its end");
    if (!PKCS7_type_is_signed(message.get())) return not_certs_only("is no signed-data");
    // The type may say signed-data with nothing behind it.
    const PKCS7_SIGNED* data = message->d.sign;
    if (!data) return not_certs_only("is signed-data without a body");
    if (sk_PKCS7_SIGNER_INFO_num(data->signer_info) > 0) return not_certs_only("has a signer");
    Chain chain;
    const int count = data->cert ? sk_X509_num(data->cert) : 0;
    if (count > most_certificates) return not_certs_only("holds too many certificates");
    for (int i = 0; i < count; ++i) {
        X509* certificate = sk_X509_value(data->cert, i);
        // By its bytes: a certificate that only half decodes is refused there.
        SP_TRY(return, auto read,
                     Certificate::from_der(to_der<X509>(
                         certificate, [](X509* x, unsigned char** out) { return i2d_X509(x, out); })));
        chain.push_back(std::move(read));
    }
    return chain;
}

}  // namespace pki
