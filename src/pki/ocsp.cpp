// SPDX-License-Identifier: Apache-2.0
#include "pki/ocsp.hpp"

#include <algorithm>
#include <array>

#include "base/result.hpp"
#include "pki/der.hpp"
#include "pki/der_signature.hpp"
#include "pki/digest.hpp"
#include "pki/openssl.hpp"

namespace pki {
namespace {

constexpr std::size_t most_ids = 100;
constexpr std::size_t longest_nonce = 128;
constexpr std::string_view nonce_oid("\x2b\x06\x01\x05\x05\x07\x30\x01\x02", 9);
constexpr std::array<unsigned char, 11> nonce_oid_element{0x06, 0x09, 0x2b, 0x06, 0x01, 0x05,
                                                          0x05, 0x07, 0x30, 0x01, 0x02};
constexpr std::array<unsigned char, 11> basic_response_oid{0x06, 0x09, 0x2b, 0x06, 0x01, 0x05,
                                                           0x05, 0x07, 0x30, 0x01, 0x01};

auto malformed_request(std::string reason) {
    return base::fail(base::Code::malformed, "OCSP request", std::move(reason));
}

OcspHash hash_of(std::string_view oid) {
    if (oid == std::string_view("\x2b\x0e\x03\x02\x1a", 5)) return OcspHash::sha1;
    constexpr std::string_view sha2("\x60\x86\x48\x01\x65\x03\x04\x02", 8);
    if (oid.size() != sha2.size() + 1 || !oid.starts_with(sha2)) return OcspHash::unknown;
    switch (oid.back()) {
        case 1:
            return OcspHash::sha256;
        case 2:
            return OcspHash::sha384;
        case 3:
            return OcspHash::sha512;
        default:
            return OcspHash::unknown;
    }
}

base::Bytes copy(der::Octets octets) {
    return {octets.begin(), octets.end()};
}

std::optional<OcspCertId> read_id(const der::Element& element) {
    der::Reader reader(element.content);
    const auto algorithm = reader.next(der::sequence);
    const auto name = reader.next(der::octet_string);
    const auto key = reader.next(der::octet_string);
    const auto serial = reader.next(der::integer);
    if (!algorithm || !name || !key || !serial || serial->content.empty() || !reader.empty())
        return std::nullopt;
    der::Reader inner(algorithm->content);
    const auto oid = inner.next(der::object_identifier);
    if (!oid) return std::nullopt;
    if (!inner.empty() && (!inner.next(der::null) || !inner.empty())) return std::nullopt;
    return OcspCertId{copy(element.whole), hash_of(base::as_text(oid->content)), copy(name->content),
                      copy(key->content), Serial::from_content(serial->content)};
}

// Wrapped as RFC 6960 4.4.1 has it, or bare as older clients send it.
bool is_fair_nonce(der::Octets value) {
    der::Reader reader(value);
    const auto inner = reader.next(der::octet_string);
    const auto size = inner && reader.empty() ? inner->content.size() : value.size();
    return size >= 1 && size <= longest_nonce;
}

base::Status read_extensions(der::Octets content, OcspRequest& request) {
    der::Reader outer(content);
    const auto list = outer.next(der::sequence);
    if (!list || !outer.empty()) return malformed_request("has extensions that cannot be read");
    der::Reader reader(list->content);
    while (!reader.empty()) {
        const auto one = reader.next(der::sequence);
        if (!one) return malformed_request("has an extension that cannot be read");
        der::Reader parts(one->content);
        const auto oid = parts.next(der::object_identifier);
        const auto flag = parts.next(der::boolean);
        const auto value = parts.next(der::octet_string);
        if (!oid || !value || !parts.empty() || (flag && flag->content.size() != 1))
            return malformed_request("has an extension that cannot be read");
        if (base::as_text(oid->content) == nonce_oid) {
            if (request.nonce) return malformed_request("has two nonces");
            if (!is_fair_nonce(value->content))
                return malformed_request("has a nonce that is not 1 to 128 octets long");
            request.nonce = copy(value->content);
        } else if (flag && flag->content.front() != std::byte{0}) {
            return malformed_request("has a critical extension that is not known");
        }
    }
    return {};
}

base::Status read_list(der::Octets content, OcspRequest& request) {
    der::Reader reader(content);
    while (!reader.empty()) {
        const auto one = reader.next(der::sequence);
        if (!one) return malformed_request("has a list that cannot be read");
        if (request.ids.size() == most_ids) return malformed_request("asks about more than 100 certificates");
        der::Reader parts(one->content);
        const auto element = parts.next(der::sequence);
        auto id = element ? read_id(*element) : std::nullopt;
        if (!id) return malformed_request("has a CertID that cannot be read");
        if (parts.at(der::explicit_tag(0)) && !parts.next())
            return malformed_request("has a request that cannot be read");
        if (!parts.empty()) return malformed_request("has a request that cannot be read");
        request.ids.push_back(*std::move(id));
    }
    if (request.ids.empty()) return malformed_request("asks about no certificate");
    return {};
}

base::Bytes evp_digest(const EVP_MD* digest, std::span<const std::byte> of) {
    base::Bytes out(static_cast<std::size_t>(EVP_MD_get_size(digest)));
    EVP_Digest(of.data(), of.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr, digest, nullptr);
    return out;
}

std::span<const std::byte> key_bits(const Certificate& certificate) {
    const auto* bits = X509_get0_pubkey_bitstr(certificate.handle());
    return std::as_bytes(std::span(bits->data, static_cast<std::size_t>(bits->length)));
}

base::Bytes single_response(const OcspCertId& id, const OcspAnswer& answer, const OcspResponseInput& input) {
    base::Bytes status;
    switch (answer.status) {
        case OcspAnswer::Status::good:
            status = der::wrap(der::implicit_tag(0), {});
            break;
        case OcspAnswer::Status::unknown:
            status = der::wrap(der::implicit_tag(2), {});
            break;
        case OcspAnswer::Status::revoked: {
            const std::array reason{static_cast<std::byte>(answer.reason)};
            const auto told = answer.reason == 0
                                  ? base::Bytes()
                                  : der::wrap(der::explicit_tag(0), {der::wrap(der::enumerated, {reason})});
            status = der::wrap(der::explicit_tag(1), {der::generalized(answer.revoked_at), told});
            break;
        }
    }
    return der::wrap(der::sequence, {id.der, status, der::generalized(input.this_update),
                                     der::wrap(der::explicit_tag(0), {der::generalized(input.next_update)})});
}

}  // namespace

base::Result<OcspRequest> read_ocsp_request(std::span<const std::byte> bytes) {
    der::Reader outer(bytes);
    const auto whole = outer.next(der::sequence);
    if (!whole) return malformed_request("is no DER");
    if (!outer.empty()) return malformed_request("has bytes behind its end");
    der::Reader parts(whole->content);
    const auto signed_part = parts.next(der::sequence);
    if (!signed_part) return malformed_request("has no list");
    if (parts.at(der::explicit_tag(0)) && !parts.next())
        return malformed_request("has a signature that cannot be read");
    if (!parts.empty()) return malformed_request("has something behind its list");

    der::Reader reader(signed_part->content);
    if (reader.at(der::explicit_tag(0))) {
        constexpr std::array version_1{std::byte{0x02}, std::byte{0x01}, std::byte{0x00}};
        const auto version = reader.next();
        if (!version || !std::ranges::equal(version->content, version_1))
            return malformed_request("is not of version 1");
    }
    if (reader.at(der::explicit_tag(1)) && !reader.next())
        return malformed_request("has a requestor that cannot be read");
    OcspRequest request;
    const auto list = reader.next(der::sequence);
    if (!list) return malformed_request("has no list");
    if (auto read = read_list(list->content, request); !read) return std::unexpected(std::move(read).error());
    if (reader.at(der::explicit_tag(2))) {
        const auto extensions = reader.next();
        if (!extensions) return malformed_request("has extensions that cannot be read");
        if (auto read = read_extensions(extensions->content, request); !read)
            return std::unexpected(std::move(read).error());
    }
    if (!reader.empty()) return malformed_request("has something behind its extensions");
    return request;
}

std::optional<base::Bytes> ocsp_request_of_path(std::string_view behind_prefix) {
    auto text = base::percent_decode(behind_prefix);
    if (!text) return std::nullopt;
    for (char& c : *text) {
        if (c == '-') c = '+';
        if (c == '_') c = '/';
    }
    while (text->ends_with('=')) text->pop_back();
    while (text->size() % 4 != 0) text->push_back('=');
    return base::from_base64(*text);
}

OcspIssuer::OcspIssuer(const Certificate& ca) {
    const auto name = to_der<const X509_NAME>(
        X509_get_subject_name(ca.handle()),
        [](const X509_NAME* one, unsigned char** out) { return i2d_X509_NAME(one, out); });
    const auto add = [&](OcspHash hash, const EVP_MD* digest) {
        digests_.push_back({hash, evp_digest(digest, name), evp_digest(digest, key_bits(ca))});
    };
    add(OcspHash::sha1, EVP_sha1());
    add(OcspHash::sha256, EVP_sha256());
    add(OcspHash::sha384, EVP_sha384());
    add(OcspHash::sha512, EVP_sha512());
}

bool OcspIssuer::is_named_by(const OcspCertId& id) const {
    return std::ranges::any_of(digests_, [&](const Digests& each) {
        return each.hash == id.hash && each.name == id.issuer_name_hash && each.key == id.issuer_key_hash;
    });
}

base::Bytes ocsp_refusal(OcspRefusal refusal) {
    const std::array status{static_cast<std::byte>(refusal)};
    return der::wrap(der::sequence, {der::wrap(der::enumerated, {status})});
}

base::Result<base::Bytes> make_ocsp_response(const OcspResponseInput& input) {
    if (input.ids.size() != input.answers.size())
        return base::fail(base::Code::internal, "OCSP response", "has not one answer for each id");
    SP_TRY(return, const auto algorithm, signature_algorithm(input.key));
    base::Bytes singles;
    for (std::size_t at = 0; at < input.ids.size(); ++at)
        der::append(singles, single_response(input.ids[at], input.answers[at], input));
    base::Bytes extensions;
    if (input.nonce) {
        const auto one = der::wrap(der::sequence, {std::as_bytes(std::span(nonce_oid_element)),
                                                   der::wrap(der::octet_string, {*input.nonce})});
        extensions = der::wrap(der::explicit_tag(1), {der::wrap(der::sequence, {one})});
    }
    const auto key_hash = sha1(key_bits(input.responder));
    const auto data =
        der::wrap(der::sequence,
                  {der::wrap(der::explicit_tag(2), {der::wrap(der::octet_string, {key_hash})}),
                   der::generalized(input.produced_at), der::wrap(der::sequence, {singles}), extensions});
    SP_TRY(return, const auto signature, sign_der(data, input.key));
    constexpr std::array no_unused_bits{std::byte{0}};
    const auto basic =
        der::wrap(der::sequence,
                  {data, algorithm, der::wrap(der::bit_string, {no_unused_bits, signature}),
                   der::wrap(der::explicit_tag(0), {der::wrap(der::sequence, {input.responder.der()})})});
    const auto body = der::wrap(
        der::sequence, {std::as_bytes(std::span(basic_response_oid)), der::wrap(der::octet_string, {basic})});
    constexpr std::array successful{std::byte{0}};
    return der::wrap(der::sequence,
                     {der::wrap(der::enumerated, {successful}), der::wrap(der::explicit_tag(0), {body})});
}

}  // namespace pki
