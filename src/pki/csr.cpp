// SPDX-License-Identifier: Apache-2.0
#include "pki/csr.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/result.hpp"
#include "pki/asn1.hpp"
#include "pki/extension.hpp"
#include "pki/general_name.hpp"
#include "pki/openssl.hpp"
#include "pki/profile.hpp"

namespace pki {
namespace {

constexpr std::size_t largest_request = 64 * 1024;
constexpr int largest_verified_rsa = 4096;
constexpr const char* linking_oid = "1.2.840.113549.1.9.16.2.58";  // id-aa-estIdentityLinking, RFC 7894

using Checked = std::expected<void, CsrFault>;

std::unexpected<CsrFault> fault(std::string_view id, base::Error error) {
    return std::unexpected(CsrFault{id, std::move(error)});
}
auto refuse(std::string_view id, const std::string& thing, std::string reason, std::string fix = {}) {
    return fault(id, {base::Code::invalid_argument, thing, std::move(reason), std::move(fix)});
}
auto malformed(std::string_view id, const std::string& thing, std::string reason, std::string fix = {}) {
    return fault(id, {base::Code::malformed, thing, std::move(reason), std::move(fix)});
}
auto from_openssl(std::string_view id, const std::string& thing, std::string_view doing) {
    return fault(id, openssl_error(base::Code::malformed, thing, doing).error());
}

// OpenSSL verifies the signature but asks nothing of its digest.
Checked check_digest(const X509_REQ* request, const std::string& thing) {
    int digest = NID_undef, key = NID_undef;
    const int signature = X509_REQ_get_signature_nid(request);
    if (signature == NID_rsassaPss) {
        const X509_ALGOR* algorithm = nullptr;
        X509_REQ_get0_signature(request, nullptr, &algorithm);
        const void* parameters = nullptr;
        int type = V_ASN1_UNDEF;
        X509_ALGOR_get0(nullptr, &type, &parameters, algorithm);
        const RsaPssParamsPtr pss(type == V_ASN1_SEQUENCE
                                      ? static_cast<RSA_PSS_PARAMS*>(ASN1_TYPE_unpack_sequence(
                                            ASN1_ITEM_rptr(RSA_PSS_PARAMS), algorithm->parameter))
                                      : nullptr);
        // An absent hash means SHA-1 (RFC 4055 3.1).
        digest = pss && pss->hashAlgorithm ? OBJ_obj2nid(pss->hashAlgorithm->algorithm) : NID_sha1;
    } else if (OBJ_find_sigid_algs(signature, &digest, &key) != 1) {
        clear_openssl_errors();
        return refuse("csr.weak_digest", thing, "is signed by an unknown algorithm", "sign it with SHA-256");
    }
    if (digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512) return {};
    return refuse(
        "csr.weak_digest", thing,
        fmt::format("is signed with {}", digest == NID_undef ? "no digest of ours" : OBJ_nid2ln(digest)),
        "sign it with SHA-256");
}

Checked check_strength(const PublicKey& key, const std::string& thing) {
    if (auto fine = key.check_strength(thing); !fine)
        return fault(key.is_rsa() ? "key.weak" : "key.type", std::move(fine).error());
    return {};
}

/// Before arithmetic is done with numbers that the requester chose.
bool is_costly(const PublicKey& key) {
    if (!key.is_rsa()) return !EVP_PKEY_is_a(key.handle(), "EC");
    BIGNUM* raw = nullptr;
    const bool read = EVP_PKEY_get_bn_param(key.handle(), "e", &raw) == 1;
    const BignumPtr exponent(raw);
    return EVP_PKEY_get_bits(key.handle()) > largest_verified_rsa || !read ||
           BN_num_bits(exponent.get()) > 256;
}

Checked check_key_and_signature(X509_REQ* request, const std::string& thing, const PublicKey& key) {
    if (is_costly(key))
        if (auto fine = check_strength(key, thing); !fine) return fine;
    if (X509_REQ_verify(request, key.handle()) != 1) {
        clear_openssl_errors();
        return malformed("csr.signature", thing, "has a signature that does not fit its public key",
                         "make the request again with the private key that belongs to it");
    }
    if (auto fine = check_digest(request, thing); !fine) return fine;
    return check_strength(key, thing);
}

Checked read_attributes(const X509_REQ* request, const std::string& thing, Csr& csr) {
    int extension_attributes = 0;
    for (int i = 0; i < X509_REQ_get_attr_count(request); ++i) {
        X509_ATTRIBUTE* attribute = X509_REQ_get_attr(request, i);
        const auto oid = object_text(X509_ATTRIBUTE_get0_object(attribute));
        const bool again = std::ranges::find(csr.attributes, oid) != csr.attributes.end();
        csr.attributes.push_back(oid);
        const int nid = OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attribute));
        const bool extensions = nid == NID_ext_req || nid == NID_ms_ext_req;
        // OpenSSL would read the first and never tell of the others.
        if (extensions && (++extension_attributes > 1 || X509_ATTRIBUTE_count(attribute) != 1))
            return refuse("csr.duplicate_extension", thing, "asks for its extensions more than once");
        if (again)
            return refuse("csr.duplicate_extension", thing, fmt::format("has the attribute {} twice", oid));
        if (nid == NID_pkcs9_challengePassword || oid == linking_oid) {
            const ASN1_TYPE* value = X509_ATTRIBUTE_get0_type(attribute, 0);
            const int type = value ? ASN1_TYPE_get(value) : V_ASN1_UNDEF;
            if (type == V_ASN1_PRINTABLESTRING || type == V_ASN1_UTF8STRING || type == V_ASN1_IA5STRING ||
                type == V_ASN1_T61STRING)
                csr.challenge = utf8(value->value.asn1_string);
        }
    }
    return {};
}

bool is_plain(const ASN1_STRING* value) {
    const int type = ASN1_STRING_type(value);
    return type == V_ASN1_UTF8STRING || type == V_ASN1_PRINTABLESTRING || type == V_ASN1_IA5STRING;
}

Checked read_subject(const X509_NAME* subject, const std::string& thing, Csr& csr) {
    for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
        const X509_NAME_ENTRY* entry = X509_NAME_get_entry(subject, i);
        const ASN1_STRING* value = X509_NAME_ENTRY_get_data(entry);
        const ASN1_OBJECT* type = X509_NAME_ENTRY_get_object(entry);
        const int nid = OBJ_obj2nid(type);
        csr.subject_attributes.push_back(
            {nid == NID_undef ? object_text(type) : OBJ_nid2sn(nid), utf8(value), is_plain(value)});
        if (csr.subject_attributes.back().value.find('\0') != std::string::npos)
            return refuse("name.subject", thing, "has a NUL in its subject");
    }
    if (common_names_of(subject).size() > 1)
        return refuse("name.subject", thing, "has more than one common name in its subject");
    return {};
}

template <class Owner, class Raw = typename Owner::element_type>
std::expected<Owner, CsrFault> decode(const X509_EXTENSION* extension, const std::string& thing) {
    Owner value(static_cast<Raw*>(X509V3_EXT_d2i(const_cast<X509_EXTENSION*>(extension))));
    if (value) return value;
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(const_cast<X509_EXTENSION*>(extension)));
    return from_openssl("csr.extension_der", thing,
                        fmt::format("has an extension {} that does not parse", OBJ_nid2sn(nid)));
}

/// What turns the holder of a leaf into more than one.
bool gives_power(std::string_view usage) {
    static constexpr std::array<std::string_view, 4> names{"OCSPSigning", "codeSigning", "timeStamping",
                                                           "anyExtendedKeyUsage"};
    return std::ranges::find(names, usage) != names.end();
}

Checked read_names(const X509_EXTENSION* extension, const std::string& thing, Csr& csr) {
    const auto names = decode<GeneralNamesPtr>(extension, thing);
    if (!names) return std::unexpected(names.error());
    csr.names = general_names_text(names->get());
    for (const auto& name : csr.names)
        if (name.find('\0') != std::string::npos)
            return refuse("name.san", thing, "asks for a name with a NUL in it");
    return {};
}

Checked read_usages(const X509_EXTENSION* extension, const std::string& thing, Csr& csr) {
    const auto usages = decode<ExtendedKeyUsagePtr>(extension, thing);
    if (!usages) return std::unexpected(usages.error());
    csr.usages = usage_names(usages->get());
    for (const auto& usage : csr.usages)
        if (gives_power(usage)) csr.powers.push_back("the extended key usage " + usage);
    return {};
}

Checked read_extension(const X509_EXTENSION* extension, const std::string& thing, Csr& csr) {
    const ASN1_OBJECT* object = X509_EXTENSION_get_object(const_cast<X509_EXTENSION*>(extension));
    const int nid = OBJ_obj2nid(object);
    if (nid == NID_subject_alt_name) return read_names(extension, thing, csr);
    if (nid == NID_ext_key_usage) return read_usages(extension, thing, csr);
    if (nid == NID_basic_constraints) {
        const auto basic = decode<BasicConstraintsPtr>(extension, thing);
        if (!basic) return std::unexpected(basic.error());
        csr.asks_ca = (*basic)->ca != 0;
        return {};
    }
    if (nid == NID_key_usage) {
        const auto usage = decode<Asn1BitStringPtr>(extension, thing);
        if (!usage) return std::unexpected(usage.error());
        csr.asks_cert_sign =
            ASN1_BIT_STRING_get_bit(usage->get(), 5) == 1 || ASN1_BIT_STRING_get_bit(usage->get(), 6) == 1;
        return {};
    }
    const bool limits = nid == NID_certificate_policies || nid == NID_name_constraints ||
                        nid == NID_policy_constraints || nid == NID_policy_mappings ||
                        nid == NID_inhibit_any_policy;
    const auto name = nid == NID_undef ? object_text(object) : std::string(OBJ_nid2sn(nid));
    if (limits)
        csr.powers.push_back("the extension " + name);
    else if (X509_EXTENSION_get_critical(extension) == 1)
        csr.powers.push_back("the critical extension " + name);
    return {};
}

Checked read_extensions(X509_REQ* request, const std::string& thing, Csr& csr) {
    const bool asked = X509_REQ_get_attr_by_NID(request, NID_ext_req, -1) >= 0 ||
                       X509_REQ_get_attr_by_NID(request, NID_ms_ext_req, -1) >= 0;
    if (!asked) return {};
    const X509ExtensionsPtr extensions(X509_REQ_get_extensions(request));
    if (!extensions)
        return from_openssl("csr.extension_der", thing, "has requested extensions that do not parse");
    std::set<std::string> seen;
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions.get()); ++i) {
        X509_EXTENSION* extension = sk_X509_EXTENSION_value(extensions.get(), i);
        if (!seen.insert(object_text(X509_EXTENSION_get_object(extension))).second)
            return refuse("csr.duplicate_extension", thing, "asks for an extension twice");
        csr.extensions.push_back(object_text(X509_EXTENSION_get_object(extension)));
        if (auto fine = read_extension(extension, thing, csr); !fine) return fine;
    }
    return {};
}

std::expected<Csr, CsrFault> examine(X509_REQ* request, CsrKey key, const std::string& thing) {
    if (X509_REQ_get_version(request) != X509_REQ_VERSION_1)
        return malformed("csr.der", thing, "has a version that PKCS#10 does not know");
    EVP_PKEY* raw = X509_REQ_get0_pubkey(request);
    clear_openssl_errors();
    Csr csr{.key = PublicKey::share(raw)};
    if (key == CsrKey::checked) {
        if (!raw) return malformed("key.type", thing, "has a public key that cannot be read");
        if (auto fine = check_key_and_signature(request, thing, csr.key); !fine)
            return std::unexpected(fine.error());
    }
    if (auto fine = read_attributes(request, thing, csr); !fine) return std::unexpected(fine.error());
    if (auto fine = read_extensions(request, thing, csr); !fine) return std::unexpected(fine.error());
    X509_NAME* subject = X509_REQ_get_subject_name(request);
    if (auto fine = read_subject(subject, thing, csr); !fine) return std::unexpected(fine.error());
    const auto common_names = common_names_of(subject);
    if (!common_names.empty()) csr.common_name = common_names.back();
    csr.subject = name_text(subject);
    csr.subject_der = to_der<X509_NAME>(
        subject, [](X509_NAME* name, unsigned char** out) { return i2d_X509_NAME(name, out); });
    return csr;
}

}  // namespace

std::expected<Csr, CsrFault> examine_csr(std::span<const std::byte> der, CsrKey key, std::string thing) {
    if (der.size() > largest_request)
        return fault("csr.der", {base::Code::too_large,
                                 std::move(thing),
                                 fmt::format("is larger than {} bytes", largest_request),
                                 {}});
    const auto* first = reinterpret_cast<const unsigned char*>(der.data());
    const auto* at = first;
    const X509ReqPtr request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
    if (!request) return from_openssl("csr.der", thing, "is not a PKCS#10 request");
    if (at != first + der.size())
        return malformed("csr.der", thing,
                         fmt::format("has {} bytes behind its end", first + der.size() - at));
    // OpenSSL reads BER as well, of which two readers may make two things.
    if (!asn1::is_well_formed(der)) return malformed("csr.der", thing, "is not encoded by the rules of DER");
    return examine(request.get(), key, thing);
}

base::Result<Csr> csr_from_der(std::span<const std::byte> der, std::string thing) {
    auto csr = examine_csr(der, CsrKey::checked, std::move(thing));
    if (!csr) return std::unexpected(std::move(csr).error().error);
    return *std::move(csr);
}

base::Result<Csr> csr_from_pem(std::string_view pem, std::string thing) {
    const auto refuse_text = [&](std::string reason, std::string fix) {
        return base::fail(base::Code::malformed, std::move(thing), std::move(reason), std::move(fix));
    };
    if (pem.size() > largest_request)
        return base::fail(base::Code::too_large, std::move(thing),
                          fmt::format("is larger than {} bytes", largest_request));
    // This label finds "NEW CERTIFICATE REQUEST" too.
    const auto blocks = pem_blocks(pem, PEM_STRING_X509_REQ, 2);
    if (blocks.empty())
        return refuse_text("is not a PEM certificate request",
                           "it must hold one block -----BEGIN CERTIFICATE REQUEST-----");
    if (blocks.size() > 1) return refuse_text("holds more than one request", "give one request a file");
    return csr_from_der(blocks.front(), std::move(thing));
}

base::Result<Csr> read_csr(std::span<const std::byte> content, std::string thing) {
    if (looks_like_der(content)) return csr_from_der(content, std::move(thing));
    return csr_from_pem(base::as_text(content), std::move(thing));
}

}  // namespace pki
