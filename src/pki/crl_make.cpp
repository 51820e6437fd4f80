// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <openssl/pem.h>

#include <array>

#include "base/result.hpp"
#include "pki/crl.hpp"
#include "pki/der.hpp"
#include "pki/der_signature.hpp"
#include "pki/openssl.hpp"

namespace pki {
namespace {

constexpr std::array<unsigned char, 5> oid_crl_number{0x06, 0x03, 0x55, 0x1d, 0x14};
constexpr std::array<unsigned char, 5> oid_authority_key{0x06, 0x03, 0x55, 0x1d, 0x23};
constexpr std::array<unsigned char, 10> oid_authority_info{0x06, 0x08, 0x2b, 0x06, 0x01,
                                                           0x05, 0x05, 0x07, 0x01, 0x01};
constexpr std::array<unsigned char, 10> oid_ca_issuers{0x06, 0x08, 0x2b, 0x06, 0x01,
                                                       0x05, 0x05, 0x07, 0x30, 0x02};
/// Extensions { reasonCode { ENUMERATED r } } but for r.
constexpr std::array<unsigned char, 13> reason_extension{0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55,
                                                         0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01};

template <std::size_t N>
der::Octets octets(const std::array<unsigned char, N>& of) {
    return std::as_bytes(std::span(of));
}

std::size_t content_size(const RevokedSerial& entry) {
    return der::header_size(entry.serial.content().size()) + entry.serial.content().size() +
           der::time_size(entry.at) + (entry.reason == 0 ? 0 : reason_extension.size() + 1);
}

void append_entry(base::Bytes& out, const RevokedSerial& entry) {
    der::append_header(out, der::sequence, content_size(entry));
    der::append(out, der::integer, entry.serial.content());
    der::append_time(out, entry.at);
    if (entry.reason == 0) return;
    der::append(out, octets(reason_extension));
    out.push_back(std::byte{entry.reason});
}

/// The content of revokedCertificates, or what is wrong with the table.
base::Result<std::size_t> entries_size(std::span<const RevokedSerial> revoked) {
    constexpr int remove_from_crl = 8;
    std::size_t size = 0;
    for (std::size_t at = 0; at < revoked.size(); ++at) {
        const auto& entry = revoked[at];
        if (at != 0 && !(revoked[at - 1].serial < entry.serial))
            return base::fail(base::Code::invalid_argument, "revoked serial " + entry.serial.hex(),
                              "is out of order in the table");
        if (entry.reason > 10 || entry.reason == 7 || entry.reason == remove_from_crl)
            return base::fail(base::Code::invalid_argument, "revoked serial " + entry.serial.hex(),
                              fmt::format("has the reason {}, which a complete CRL does not have",
                                          static_cast<int>(entry.reason)));
        const auto content = content_size(entry);
        size += der::header_size(content) + content;
    }
    return size;
}

base::Bytes extensions(const CrlInput& input) {
    base::Bytes all;
    if (const auto* key_id = X509_get0_subject_key_id(input.issuer.handle())) {
        const std::span id(ASN1_STRING_get0_data(key_id),
                           static_cast<std::size_t>(ASN1_STRING_length(key_id)));
        const auto authority =
            der::wrap(der::sequence, {der::wrap(der::implicit_tag(0), {std::as_bytes(id)})});
        der::append(all, der::wrap(der::sequence,
                                   {octets(oid_authority_key), der::wrap(der::octet_string, {authority})}));
    }
    if (!input.ca_issuers_url.empty()) {
        constexpr int uri = 6;
        const auto where = der::wrap(der::implicit_tag(uri), {base::as_bytes(input.ca_issuers_url)});
        const auto access =
            der::wrap(der::sequence, {der::wrap(der::sequence, {octets(oid_ca_issuers), where})});
        der::append(all, der::wrap(der::sequence,
                                   {octets(oid_authority_info), der::wrap(der::octet_string, {access})}));
    }
    der::append(
        all, der::wrap(der::sequence, {octets(oid_crl_number),
                                       der::wrap(der::octet_string, {der::unsigned_integer(input.number)})}));
    return der::wrap(der::explicit_tag(0), {der::wrap(der::sequence, {all})});
}

base::Status check_signer(const CrlInput& input) {
    const auto refuse = [&](std::string reason) {
        return base::fail(base::Code::invalid_argument, "CRL of " + input.issuer.subject(),
                          std::move(reason));
    };
    if ((X509_get_key_usage(input.issuer.handle()) & KU_CRL_SIGN) == 0)
        return refuse("would be signed by a CA whose keyUsage lacks cRLSign");
    if (!input.key.matches(input.issuer)) return refuse("would be signed by a key that is not the CA's");
    if (input.next_update <= input.this_update) return refuse("would end before it begins");
    return {};
}

}  // namespace

base::Result<base::Bytes> make_crl(const CrlInput& input) {
    if (auto fine = check_signer(input); !fine) return std::unexpected(std::move(fine).error());
    SP_TRY(return, const auto algorithm, signature_algorithm(input.key));
    SP_TRY(return, const auto list_size, entries_size(input.revoked));
    constexpr std::array<unsigned char, 3> version_2{0x02, 0x01, 0x01};
    const auto issuer = to_der<const X509_NAME>(
        X509_get_subject_name(input.issuer.handle()),
        [](const X509_NAME* name, unsigned char** out) { return i2d_X509_NAME(name, out); });
    const auto extra = extensions(input);
    const auto size = version_2.size() + algorithm.size() + issuer.size() +
                      der::time_size(input.this_update) + der::time_size(input.next_update) + extra.size() +
                      (input.revoked.empty() ? 0 : der::header_size(list_size) + list_size);

    // Room for what comes around it, so that the one big buffer is never copied.
    constexpr std::size_t around = 2048;
    base::Bytes out;
    out.reserve(size + around);
    der::append_header(out, der::sequence, size);
    der::append(out, octets(version_2));
    der::append(out, algorithm);
    der::append(out, issuer);
    der::append_time(out, input.this_update);
    der::append_time(out, input.next_update);
    if (!input.revoked.empty()) {  // RFC 5280 5.1.2.6: absent where there is none
        der::append_header(out, der::sequence, list_size);
        for (const auto& entry : input.revoked) append_entry(out, entry);
    }
    der::append(out, extra);

    SP_TRY(return, const auto signature, sign_der(out, input.key));
    der::append(out, algorithm);
    der::append_header(out, der::bit_string, signature.size() + 1);
    out.push_back(std::byte{0});
    der::append(out, signature);
    base::Bytes header;
    der::append_header(header, der::sequence, out.size());
    out.insert(out.begin(), header.begin(), header.end());
    return out;
}

std::string crl_to_pem(std::span<const std::byte> der) {
    const BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio(out.get(), PEM_STRING_X509_CRL, "", reinterpret_cast<const unsigned char*>(der.data()),
                  static_cast<long>(der.size()));
    return bio_text(out.get());
}

}  // namespace pki
