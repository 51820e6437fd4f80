// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/result.hpp"
#include "pki/extension.hpp"
#include "pki/general_name.hpp"
#include "pki/openssl.hpp"
#include "pki/permitted_names.hpp"
#include "pki/profile.hpp"
#include "pki/public_key_info.hpp"

namespace pki {
namespace {

constexpr std::size_t serial_size = 16;
constexpr std::size_t most_names = 100;
constexpr std::chrono::minutes backdating{5};

struct Validity {
    base::Instant not_before;
    base::Instant not_after;
};

auto refuse(std::string thing, std::string reason, std::string fix = {}) {
    return base::fail(base::Code::invalid_argument, std::move(thing), std::move(reason), std::move(fix));
}

std::string issuer_thing(const Certificate& issuer) {
    return fmt::format("issuer {}", issuer.subject());
}

base::Status check_names(const IssueInput& input) {
    const auto& rule = rules(input.profile);
    if (!input.subject_der)
        if (auto fine = check_common_name(input.common_name); !fine) return fine;
    const auto thing = fmt::format("{} certificate", to_string(input.profile));
    if (rule.san == San::required && input.names.empty())
        return refuse(thing, "needs a subject alternative name",
                      "name what clients connect to, as DNS:name or IP:address");
    if (rule.san == San::forbidden && !input.names.empty())
        return refuse(thing, "takes no subject alternative name", "leave the names out");
    if (input.names.size() > most_names)
        return refuse(thing,
                      fmt::format("would have {} names, {} are allowed", input.names.size(), most_names));
    for (const auto& name : input.names) {
        if (auto fine = check_name(name); !fine) return fine;
        if (is_wildcard(name) && input.profile != Profile::server)
            return refuse("name " + name, "is a wildcard, which only a server certificate may have");
    }
    return {};
}

base::Status check_wishes(const IssueInput& input) {
    const auto thing = fmt::format("{} certificate", to_string(input.profile));
    if (input.client_auth && input.profile != Profile::server)
        return refuse(thing, "takes no client_auth", "it is for server certificates alone");
    if (!input.permitted.empty() && !rules(input.profile).ca)
        return refuse(thing, "takes no name constraints", "they are for CA certificates alone");
    if (input.path_length) {
        if (input.profile != Profile::root && input.profile != Profile::intermediate)
            return refuse(thing, "takes no path length of its own");
        if (*input.path_length < 0) return refuse(thing, "would have a negative path length");
    }
    if (input.lifetime && (*input.lifetime <= std::chrono::seconds{0} || *input.lifetime > longest_lifetime))
        return refuse(thing, fmt::format("cannot be valid for {} seconds", input.lifetime->count()),
                      fmt::format("give a lifetime of up to {} days", longest_lifetime.count()));
    return {};
}

// The limit that the certificate gets, after asking whether its issuer leaves room for it.
base::Result<std::optional<int>> path_length(const IssueInput& input, const Certificate* issuer) {
    const auto& rule = rules(input.profile);
    if (!rule.ca) return std::nullopt;
    auto wanted = input.path_length ? input.path_length : rule.path_length;
    if (!issuer) return wanted;
    const long left = X509_get_pathlen(issuer->handle());
    if (left < 0) return wanted;
    if (left == 0)
        return refuse(issuer_thing(*issuer), "may issue no CA certificate: its path length is 0",
                      "let a CA above it issue this one");
    if (!wanted) wanted = static_cast<int>(std::min(left, 100L) - 1);
    if (*wanted >= left)
        return refuse(issuer_thing(*issuer),
                      fmt::format("has the path length {} and cannot issue a CA with {}", left, *wanted),
                      fmt::format("ask for {} or less", left - 1));
    return wanted;
}

base::Status check_issuer(const Certificate& issuer, const PrivateKey& signer, base::Instant now) {
    if (!issuer.is_ca())
        return refuse(issuer_thing(issuer), "is no CA certificate (basicConstraints CA:TRUE is missing)");
    if ((X509_get_key_usage(issuer.handle()) & KU_KEY_CERT_SIGN) == 0)
        return refuse(issuer_thing(issuer), "may not sign certificates (keyUsage lacks keyCertSign)");
    if (now < issuer.not_before())
        return refuse(issuer_thing(issuer),
                      "is not valid before " + base::format_rfc3339(issuer.not_before()),
                      "check the clock of this machine");
    if (now >= issuer.not_after())
        return refuse(issuer_thing(issuer), "has expired at " + base::format_rfc3339(issuer.not_after()),
                      "renew it first");
    if (!signer.matches(issuer))
        return refuse(issuer_thing(issuer), "does not belong to the key that would sign");
    return {};
}

Validity validity(const IssueInput& input, const Certificate* issuer, base::Instant now) {
    const std::chrono::seconds lifetime = input.lifetime.value_or(rules(input.profile).lifetime);
    Validity result{now - backdating, now + lifetime};
    if (issuer) {
        result.not_before = std::max(result.not_before, issuer->not_before());
        result.not_after = std::min(result.not_after, issuer->not_after());
    }
    return result;
}

bool set_time(ASN1_TIME* into, base::Instant when) {
    // Adjusts to UTCTime through 2049 and GeneralizedTime from 2050 (RFC 5280 4.1.2.5).
    return ASN1_TIME_set(into, when.time_since_epoch().count()) != nullptr;
}

bool set_serial(X509* certificate) {
    auto octets = random_bytes(serial_size);
    // Positive, and of 16 octets whatever the dice say.
    octets.front() = (octets.front() & std::byte{0x7f}) | std::byte{0x40};
    const BignumPtr number(BN_bin2bn(reinterpret_cast<const unsigned char*>(octets.data()),
                                     static_cast<int>(octets.size()), nullptr));
    return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_public_key(X509* certificate, EVP_PKEY* key) {
    return set_p256_key(X509_get_X509_PUBKEY(certificate), key) || X509_set_pubkey(certificate, key) == 1;
}

base::Status set_subject(const IssueInput& input, X509* certificate) {
    if (input.subject_der) {
        const auto* at = reinterpret_cast<const unsigned char*>(input.subject_der->data());
        const auto* end = at + input.subject_der->size();
        const X509NamePtr name(d2i_X509_NAME(nullptr, &at, static_cast<long>(input.subject_der->size())));
        if (!name || at != end || X509_NAME_entry_count(name.get()) == 0) {
            clear_openssl_errors();
            return refuse("subject", "is not an X.501 name with at least one attribute");
        }
        if (X509_set_subject_name(certificate, name.get()) == 1) return {};
    } else {
        SP_TRY(return, const auto name, make_name(input.common_name));
        if (X509_set_subject_name(certificate, name.get()) == 1) return {};
    }
    return openssl_error(base::Code::internal, "certificate", "could not take its subject");
}

// RFC 5280 4.2.1.2 method 1: SHA-1 over the key's bits.
Asn1OctetStringPtr key_identifier(const X509* certificate) {
    const auto* bits = X509_get0_pubkey_bitstr(certificate);
    if (!bits) return nullptr;
    const auto digest = sha1(std::as_bytes(std::span(bits->data, static_cast<std::size_t>(bits->length))));
    Asn1OctetStringPtr id(ASN1_OCTET_STRING_new());
    if (!id || ASN1_OCTET_STRING_set(id.get(), reinterpret_cast<const unsigned char*>(digest.data()),
                                     digest.size()) != 1)
        return nullptr;
    return id;
}

base::Status add_key_identifiers(const Certificate* issuer, X509* certificate,
                                 STACK_OF(X509_EXTENSION) * *into) {
    const auto own = key_identifier(certificate);
    if (auto added = add_extension(into, NID_subject_key_identifier, false, own.get()); !added) return added;
    // A root needs none (RFC 5280 4.2.1.1); an issuer of others that has no identifier leaves nothing to
    // point to.
    const ASN1_OCTET_STRING* theirs = issuer ? X509_get0_subject_key_id(issuer->handle()) : nullptr;
    if (!theirs) return {};
    const AuthorityKeyIdPtr authority(AUTHORITY_KEYID_new());
    if (authority) authority->keyid = ASN1_OCTET_STRING_dup(theirs);
    return add_extension(into, NID_authority_key_identifier, false, authority.get());
}

base::Result<GeneralNamesPtr> make_urls(const std::vector<std::string>& urls) {
    std::vector<std::string> names;
    for (const auto& url : urls) {
        if (auto fine = check_name("URI:" + url); !fine) return std::unexpected(std::move(fine).error());
        names.push_back("URI:" + url);
    }
    return make_general_names(names);
}

base::Status add_crl_pointer(const IssueInput& input, STACK_OF(X509_EXTENSION) * *into) {
    SP_TRY(return, auto names, make_urls(input.crl_urls));
    const CrlPointsPtr points(sk_DIST_POINT_new_null());
    DistPointPtr point(DIST_POINT_new());
    if (!points || !point || !(point->distpoint = DIST_POINT_NAME_new()))
        return openssl_error(base::Code::internal, "CRL distribution point", "could not be made");
    constexpr int full_name = 0;
    point->distpoint->type = full_name;
    point->distpoint->name.fullname = names.release();
    if (sk_DIST_POINT_push(points.get(), point.get()) == 0)
        return openssl_error(base::Code::internal, "CRL distribution point", "could not be made");
    (void)point.release();
    return add_extension(into, NID_crl_distribution_points, false, points.get());
}

base::Status add_access(AUTHORITY_INFO_ACCESS* into, int method, const std::string& url) {
    if (url.empty()) return {};
    SP_TRY(return, const auto names, make_urls({url}));
    AccessDescriptionPtr one(ACCESS_DESCRIPTION_new());
    if (!one) return openssl_error(base::Code::internal, "certificate", "could not be made");
    ASN1_OBJECT_free(one->method);
    GENERAL_NAME_free(one->location);
    one->method = OBJ_nid2obj(method);
    one->location = sk_GENERAL_NAME_pop(names.get());
    if (sk_ACCESS_DESCRIPTION_push(into, one.get()) == 0)
        return openssl_error(base::Code::internal, "certificate", "could not be made");
    (void)one.release();
    return {};
}

// RFC 5280 4.2.1.13, 4.2.2.1: one distribution point, without reasons and issuer.
base::Status add_pointers(const IssueInput& input, STACK_OF(X509_EXTENSION) * *into) {
    if (input.profile == Profile::ocsp) {
        // Nobody asks whether an OCSP signer is revoked: it lives for days (RFC 6960 4.2.2.2.1).
        const std::unique_ptr<ASN1_NULL, FreeWith<ASN1_NULL_free>> nothing(ASN1_NULL_new());
        return add_extension(into, NID_id_pkix_OCSP_noCheck, false, nothing.get());
    }
    if (input.profile == Profile::root) return {};
    if (!input.crl_urls.empty())
        if (auto added = add_crl_pointer(input, into); !added) return added;
    if (input.profile == Profile::bootstrap || (input.ocsp_url.empty() && input.ca_issuers_url.empty()))
        return {};
    const InfoAccessPtr access(sk_ACCESS_DESCRIPTION_new_null());
    if (!access) return openssl_error(base::Code::internal, "certificate", "could not be made");
    if (auto added = add_access(access.get(), NID_ad_OCSP, input.ocsp_url); !added) return added;
    if (auto added = add_access(access.get(), NID_ad_ca_issuers, input.ca_issuers_url); !added) return added;
    return add_extension(into, NID_info_access, false, access.get());
}

base::Status add_extensions(const IssueInput& input, const Certificate* issuer, std::optional<int> limit,
                            X509* certificate) {
    const auto& rule = rules(input.profile);
    STACK_OF(X509_EXTENSION)* list = sk_X509_EXTENSION_new_null();
    const X509ExtensionsPtr owner(list);
    if (!list) return openssl_error(base::Code::internal, "certificate", "could not be made");

    const auto basic = make_basic_constraints(rule.ca, limit);
    if (auto added = add_extension(&list, NID_basic_constraints, true, basic.get()); !added) return added;
    // TLS 1.2 with RSA key exchange encrypts to the server's key.
    const bool encipher = input.profile == Profile::server && input.key.is_rsa();
    const auto usage = make_key_usage(rule.key_usage | (encipher ? key_usage::key_encipherment : 0));
    if (auto added = add_extension(&list, NID_key_usage, true, usage.get()); !added) return added;
    auto uses = rule.extended_key_usage;
    if (input.client_auth) uses.emplace_back("clientAuth");
    if (!uses.empty()) {
        SP_TRY(return, const auto extended, make_extended_key_usage(uses));
        if (auto added = add_extension(&list, NID_ext_key_usage, false, extended.get()); !added) return added;
    }
    if (!input.names.empty()) {
        SP_TRY(return, const auto names, make_general_names(input.names));
        if (auto added = add_extension(&list, NID_subject_alt_name, false, names.get()); !added) return added;
    }
    if (!input.permitted.empty()) {
        SP_TRY(return, auto* const made, make_name_constraints(input.permitted));
        const NameConstraintsPtr constraints(made);
        if (auto added = add_extension(&list, NID_name_constraints, true, constraints.get()); !added)
            return added;
    }
    if (auto added = add_key_identifiers(issuer, certificate, &list); !added) return added;
    if (auto added = add_pointers(input, &list); !added) return added;
    for (int i = 0; i < sk_X509_EXTENSION_num(list); ++i)
        if (X509_add_ext(certificate, sk_X509_EXTENSION_value(list, i), -1) != 1)
            return openssl_error(base::Code::internal, "certificate", "could not take its extensions");
    return {};
}

base::Status sign(X509* certificate, const PrivateKey& signer) {
    // The Edwards curves bring their own digest; everything else signs SHA-256.
    const bool own_digest =
        EVP_PKEY_is_a(signer.handle(), "ED25519") || EVP_PKEY_is_a(signer.handle(), "ED448");
    if (X509_sign(certificate, signer.handle(), own_digest ? nullptr : EVP_sha256()) != 0) return {};
    return openssl_error(base::Code::internal, "certificate", "could not be signed");
}

}  // namespace

base::Result<Certificate> issue(const IssueInput& input, const Certificate* issuer, const PrivateKey& signer,
                                base::Instant now) {
    if (auto fine = check_names(input); !fine) return std::unexpected(fine.error());
    if (auto fine = check_wishes(input); !fine) return std::unexpected(fine.error());
    if (auto fine = input.key.check_strength(fmt::format("{} certificate", to_string(input.profile))); !fine)
        return std::unexpected(fine.error());
    if (issuer) {
        if (auto fine = check_issuer(*issuer, signer, now); !fine) return std::unexpected(fine.error());
    } else if (!(signer.public_key() == input.key)) {
        return refuse("self-signed certificate", "would be signed by a key that is not its own");
    }
    SP_TRY(return, const auto limit, path_length(input, issuer));
    const auto dates = validity(input, issuer, now);

    const X509Ptr made(X509_new());
    if (!made || X509_set_version(made.get(), X509_VERSION_3) != 1 || !set_serial(made.get()) ||
        !set_time(X509_getm_notBefore(made.get()), dates.not_before) ||
        !set_time(X509_getm_notAfter(made.get()), dates.not_after) ||
        !set_public_key(made.get(), input.key.handle()))
        return openssl_error(base::Code::internal, "certificate", "could not be made");
    if (auto set = set_subject(input, made.get()); !set) return std::unexpected(set.error());
    const X509_NAME* issuer_name = X509_get_subject_name(issuer ? issuer->handle() : made.get());
    if (X509_set_issuer_name(made.get(), issuer_name) != 1)
        return openssl_error(base::Code::internal, "certificate", "could not take its issuer's name");
    if (auto added = add_extensions(input, issuer, limit, made.get()); !added)
        return std::unexpected(added.error());
    if (auto done = sign(made.get(), signer); !done) return std::unexpected(done.error());
    // Read back from its bytes, as everybody else will read it.
    return Certificate::from_der(
        to_der<X509>(made.get(), [](X509* x, unsigned char** out) { return i2d_X509(x, out); }));
}

}  // namespace pki
