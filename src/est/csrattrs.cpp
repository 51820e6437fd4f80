// SPDX-License-Identifier: Apache-2.0
#include "est/csrattrs.hpp"

#include "pki/asn1.hpp"

namespace est {
namespace {

namespace asn1 = pki::asn1;

constexpr std::string_view ec_public_key = "1.2.840.10045.2.1";
constexpr std::string_view rsa_encryption = "1.2.840.113549.1.1.1";
constexpr std::string_view ecdsa_sha256 = "1.2.840.10045.4.3.2";
constexpr std::string_view ecdsa_sha384 = "1.2.840.10045.4.3.3";
constexpr std::string_view rsa_sha256 = "1.2.840.113549.1.1.11";
constexpr std::string_view challenge_password = "1.2.840.113549.1.9.7";
constexpr std::string_view extension_request = "1.2.840.113549.1.9.14";
constexpr std::string_view request_template = "1.2.840.113549.1.9.16.2.61";
constexpr std::string_view common_name = "2.5.4.3";
constexpr std::string_view extended_key_usage = "2.5.29.37";
constexpr std::string_view client_auth = "1.3.6.1.5.5.7.3.2";
constexpr std::string_view server_auth = "1.3.6.1.5.5.7.3.1";

bool is_ec(pki::KeyType type) {
    return type == pki::KeyType::ec_p256 || type == pki::KeyType::ec_p384;
}

base::Bytes curve_of(pki::KeyType type) {
    return asn1::oid(type == pki::KeyType::ec_p384 ? "1.3.132.0.34" : "1.2.840.10045.3.1.7");
}

std::uint64_t rsa_bits(pki::KeyType type) {
    return type == pki::KeyType::rsa_4096 ? 4096 : type == pki::KeyType::rsa_3072 ? 3072 : 2048;
}

base::Bytes key_attribute(pki::KeyType type) {
    if (is_ec(type)) return asn1::sequence({asn1::oid(ec_public_key), asn1::set({curve_of(type)})});
    return asn1::sequence({asn1::oid(rsa_encryption), asn1::set({asn1::integer(rsa_bits(type))})});
}

base::Bytes signature_algorithm(pki::KeyType type) {
    if (!is_ec(type)) return asn1::oid(rsa_sha256);
    return asn1::oid(type == pki::KeyType::ec_p384 ? ecdsa_sha384 : ecdsa_sha256);
}

/// [0] SubjectPublicKeyInfo without key bits; for RSA a placeholder of the wanted length (RFC 9908 3.4).
base::Bytes key_template(pki::KeyType type) {
    if (is_ec(type))
        return asn1::value(asn1::context(0), {asn1::sequence({asn1::oid(ec_public_key), curve_of(type)})});
    base::Bytes modulus(1 + rsa_bits(type) / 8);
    modulus[1] = std::byte{0x80};
    auto key = asn1::sequence({asn1::value(asn1::integer_tag, modulus), asn1::integer(65537)});
    key.insert(key.begin(), std::byte{0});
    const base::Bytes null{std::byte{5}, std::byte{0}};
    return asn1::value(asn1::context(0), {asn1::sequence({asn1::oid(rsa_encryption), null}),
                                          asn1::value(asn1::bit_string_tag, key)});
}

/// [1] attributes: the extensions that stand there with their values.
base::Bytes extension_template(const CsrWishes& wishes) {
    base::Bytes uses;
    for (const auto oid : {wishes.server_auth ? server_auth : "", wishes.client_auth ? client_auth : ""}) {
        if (oid.empty()) continue;
        const auto one = asn1::oid(oid);
        uses.insert(uses.end(), one.begin(), one.end());
    }
    if (uses.empty()) return asn1::value(asn1::context(1), std::span<const std::byte>());
    const auto extension =
        asn1::sequence({asn1::oid(extended_key_usage),
                        asn1::value(asn1::octet_string_tag, {asn1::value(asn1::sequence_tag, uses)})});
    return asn1::value(
        asn1::context(1),
        {asn1::sequence({asn1::oid(extension_request), asn1::set({asn1::sequence({extension})})})});
}

base::Bytes template_attribute(const CsrWishes& wishes) {
    const auto subject =
        asn1::sequence({asn1::set({asn1::sequence({asn1::oid(common_name)})})});  // the client fills it in
    const auto info =
        asn1::sequence({asn1::integer(0), subject, wishes.key ? key_template(*wishes.key) : base::Bytes{},
                        extension_template(wishes)});
    return asn1::sequence({asn1::oid(request_template), asn1::set({info})});
}

}  // namespace

base::Bytes csr_attributes(const CsrWishes& wishes) {
    const bool nothing = !wishes.key && !wishes.client_auth && !wishes.server_auth;
    return asn1::sequence({wishes.key ? key_attribute(*wishes.key) : base::Bytes{},
                           wishes.key ? signature_algorithm(*wishes.key) : base::Bytes{},
                           wishes.challenge ? asn1::oid(challenge_password) : base::Bytes{},
                           nothing ? base::Bytes{} : template_attribute(wishes)});
}

}  // namespace est
