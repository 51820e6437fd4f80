// SPDX-License-Identifier: Apache-2.0
#include "pki/csr.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <set>

#include "base/result.hpp"
#include "pki/extension.hpp"
#include "pki/general_name.hpp"
#include "pki/openssl.hpp"
#include "pki/profile.hpp"
#include "pki/public_key_info.hpp"
#include "pki/refuse.hpp"

namespace pki {
namespace {

constexpr std::size_t largest_request = 64 * 1024;

auto malformed(const std::string& thing, std::string reason, std::string fix = {}) {
    return base::fail(base::Code::malformed, thing, std::move(reason), std::move(fix));
}

// OpenSSL verifies the signature but asks nothing of its digest.
base::Status check_digest(const X509_REQ* request, const std::string& thing) {
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
        return refuse(thing, "is signed by an unknown algorithm", "sign it with SHA-256");
    }
    if (digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512) return {};
    return refuse(
        thing,
        fmt::format("is signed with {}", digest == NID_undef ? "no digest of ours" : OBJ_nid2ln(digest)),
        "sign it with SHA-256");
}

base::Status check_attributes(const X509_REQ* request, const std::string& thing) {
    int extension_attributes = 0;
    for (int i = 0; i < X509_REQ_get_attr_count(request); ++i) {
        X509_ATTRIBUTE* attribute = X509_REQ_get_attr(request, i);
        const int nid = OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attribute));
        if (nid != NID_ext_req && nid != NID_ms_ext_req) continue;
        // OpenSSL would read the first and never tell of the others.
        if (++extension_attributes > 1 || X509_ATTRIBUTE_count(attribute) != 1)
            return refuse(thing, "asks for its extensions more than once");
    }
    return {};
}

base::Status check_subject(const X509_NAME* subject, const std::string& thing) {
    for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
        const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i));
        if (utf8(value).find('\0') != std::string::npos) return refuse(thing, "has a NUL in its subject");
    }
    if (common_names_of(subject).size() > 1)
        return refuse(thing, "has more than one common name in its subject");
    return {};
}

template <class Owner, class Raw = typename Owner::element_type>
base::Result<Owner> decode(const X509_EXTENSION* extension, const std::string& thing) {
    Owner value(static_cast<Raw*>(X509V3_EXT_d2i(const_cast<X509_EXTENSION*>(extension))));
    if (value) return value;
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(const_cast<X509_EXTENSION*>(extension)));
    return openssl_error(base::Code::malformed, thing,
                         fmt::format("has an extension {} that does not parse", OBJ_nid2sn(nid)));
}

base::Status read_extension(const X509_EXTENSION* extension, const std::string& thing, Csr& csr) {
    switch (OBJ_obj2nid(X509_EXTENSION_get_object(const_cast<X509_EXTENSION*>(extension)))) {
        case NID_subject_alt_name: {
            SP_TRY(return, const auto names, decode<GeneralNamesPtr>(extension, thing));
            csr.names = general_names_text(names.get());
            for (const auto& name : csr.names)
                if (name.find('\0') != std::string::npos)
                    return refuse(thing, "asks for a name with a NUL in it");
            break;
        }
        case NID_basic_constraints: {
            SP_TRY(return, const auto basic, decode<BasicConstraintsPtr>(extension, thing));
            csr.asks_ca = basic->ca != 0;
            break;
        }
        case NID_key_usage: {
            SP_TRY(return, const auto usage, decode<Asn1BitStringPtr>(extension, thing));
            csr.asks_cert_sign =
                ASN1_BIT_STRING_get_bit(usage.get(), 5) == 1 || ASN1_BIT_STRING_get_bit(usage.get(), 6) == 1;
            break;
        }
        case NID_ext_key_usage: {
            SP_TRY(return, const auto usages, decode<ExtendedKeyUsagePtr>(extension, thing));
            csr.usages = usage_names(usages.get());
            break;
        }
        default:
            break;
    }
    return {};
}

base::Status read_extensions(X509_REQ* request, const std::string& thing, Csr& csr) {
    if (auto fine = check_attributes(request, thing); !fine) return fine;
    const bool asked = X509_REQ_get_attr_by_NID(request, NID_ext_req, -1) >= 0 ||
                       X509_REQ_get_attr_by_NID(request, NID_ms_ext_req, -1) >= 0;
    if (!asked) return {};
    const X509ExtensionsPtr extensions(X509_REQ_get_extensions(request));
    if (!extensions)
        return openssl_error(base::Code::malformed, thing, "has requested extensions that do not parse");
    std::set<std::string> seen;
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions.get()); ++i) {
        X509_EXTENSION* extension = sk_X509_EXTENSION_value(extensions.get(), i);
        if (!seen.insert(object_text(X509_EXTENSION_get_object(extension))).second)
            return refuse(thing, "asks for an extension twice");
        if (auto fine = read_extension(extension, thing, csr); !fine) return fine;
    }
    return {};
}

base::Result<Csr> read(X509_REQ* request, const std::string& thing) {
    if (X509_REQ_get_version(request) != X509_REQ_VERSION_1)
        return malformed(thing, "has a version that PKCS#10 does not know");
    EVP_PKEY* raw = X509_REQ_get0_pubkey(request);
    if (!raw) return openssl_error(base::Code::malformed, thing, "has a public key that cannot be read");
    Csr csr{.key = PublicKey::share(raw)};
    // Strength first: what follows does arithmetic with numbers that the requester chose.
    if (auto fine = csr.key.check_strength(thing); !fine) return std::unexpected(fine.error());
    if (auto fine = check_digest(request, thing); !fine) return std::unexpected(fine.error());
    if (X509_REQ_verify(request, raw) != 1) {
        clear_openssl_errors();
        return malformed(thing, "has a signature that does not fit its public key",
                         "make the request again with the private key that belongs to it");
    }
    X509_NAME* subject = X509_REQ_get_subject_name(request);
    if (auto fine = check_subject(subject, thing); !fine) return std::unexpected(fine.error());
    const auto common_names = common_names_of(subject);
    if (!common_names.empty()) csr.common_name = common_names.back();
    csr.subject = name_text(subject);
    csr.subject_der = to_der<X509_NAME>(
        subject, [](X509_NAME* name, unsigned char** out) { return i2d_X509_NAME(name, out); });
    if (auto fine = read_extensions(request, thing, csr); !fine) return std::unexpected(fine.error());
    return csr;
}

bool set_public_key(X509_REQ* request, EVP_PKEY* key) {
    return set_p256_key(X509_REQ_get_X509_PUBKEY(request), key) || X509_REQ_set_pubkey(request, key) == 1;
}

base::Status add_wishes(const CsrWish& wish, X509_REQ* request) {
    STACK_OF(X509_EXTENSION)* raw = sk_X509_EXTENSION_new_null();
    const X509ExtensionsPtr extensions(raw);
    if (!extensions) return openssl_error(base::Code::internal, "certificate request", "could not be made");
    if (wish.ca) {
        const BasicConstraintsPtr basic(make_basic_constraints(true, 0));
        if (auto added = add_extension(&raw, NID_basic_constraints, true, basic.get()); !added) return added;
        const auto usage = make_key_usage(key_usage::key_cert_sign | key_usage::digital_signature);
        if (auto added = add_extension(&raw, NID_key_usage, true, usage.get()); !added) return added;
    }
    if (!wish.usages.empty()) {
        SP_TRY(return, const auto usages, make_extended_key_usage(wish.usages));
        if (auto added = add_extension(&raw, NID_ext_key_usage, false, usages.get()); !added) return added;
    }
    if (!wish.names.empty()) {
        for (const auto& name : wish.names)
            if (auto fine = check_name(name); !fine) return fine;
        SP_TRY(return, const auto names, make_general_names(wish.names));
        if (auto added = add_extension(&raw, NID_subject_alt_name, false, names.get()); !added) return added;
    }
    if (sk_X509_EXTENSION_num(raw) == 0 || X509_REQ_add_extensions(request, raw) == 1) return {};
    return openssl_error(base::Code::internal, "certificate request", "could not take its extensions");
}

}  // namespace

base::Result<Csr> csr_from_der(std::span<const std::byte> der, std::string thing) {
    if (der.size() > largest_request)
        return base::fail(base::Code::too_large, std::move(thing),
                          fmt::format("is larger than {} bytes", largest_request));
    const auto* first = reinterpret_cast<const unsigned char*>(der.data());
    const auto* at = first;
    const X509ReqPtr request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
    if (!request) return openssl_error(base::Code::malformed, std::move(thing), "is not a PKCS#10 request");
    if (at != first + der.size())
        return malformed(thing, fmt::format("has {} bytes behind its end", first + der.size() - at));
    return read(request.get(), thing);
}

base::Result<Csr> csr_from_pem(std::string_view pem, std::string thing) {
    if (pem.size() > largest_request)
        return base::fail(base::Code::too_large, std::move(thing),
                          fmt::format("is larger than {} bytes", largest_request));
    // This label finds "NEW CERTIFICATE REQUEST" too.
    const auto blocks = pem_blocks(pem, PEM_STRING_X509_REQ, 2);
    if (blocks.empty())
        return malformed(thing, "is not a PEM certificate request",
                         "it must hold one block -----BEGIN CERTIFICATE REQUEST-----");
    if (blocks.size() > 1) return malformed(thing, "holds more than one request", "give one request a file");
    return csr_from_der(blocks.front(), std::move(thing));
}

base::Result<Csr> read_csr(std::span<const std::byte> content, std::string thing) {
    if (looks_like_der(content)) return csr_from_der(content, std::move(thing));
    return csr_from_pem(base::as_text(content), std::move(thing));
}

base::Result<std::string> make_csr_pem(const CsrWish& wish, const PrivateKey& key) {
    if (auto fine = check_common_name(wish.common_name); !fine) return std::unexpected(fine.error());
    const X509ReqPtr request(X509_REQ_new());
    SP_TRY(return, const auto name, make_name(wish.common_name));
    if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_subject_name(request.get(), name.get()) != 1 ||
        !set_public_key(request.get(), key.handle()))
        return openssl_error(base::Code::internal, "certificate request", "could not be made");
    if (auto added = add_wishes(wish, request.get()); !added) return std::unexpected(added.error());
    if (X509_REQ_sign(request.get(), key.handle(), EVP_sha256()) == 0)
        return openssl_error(base::Code::internal, "certificate request", "could not be signed");
    const BioPtr out(BIO_new(BIO_s_mem()));
    if (!out || PEM_write_bio_X509_REQ(out.get(), request.get()) != 1)
        return openssl_error(base::Code::internal, "certificate request", "could not be written");
    return bio_text(out.get());
}

}  // namespace pki
