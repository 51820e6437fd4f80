// SPDX-License-Identifier: Apache-2.0
#include "pki/certificate_checks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "pki/checks.hpp"
#include "pki/key_strength.hpp"
#include "pki/openssl.hpp"

namespace pki {
namespace {

// RFC 5280 sets no bound. Honest names have fewer than ten attributes; thousands are an attack on whoever
// compares them.
constexpr int most_attributes = 100;
constexpr std::uint32_t absent = UINT32_MAX;  // X509_get_key_usage and X509_get_extended_key_usage say so

bool step(Verdict& verdict, bool good, std::string_view check, int link, std::string expected,
          std::string found) {
    if (good)
        verdict.pass(check, link, std::move(expected), std::move(found));
    else
        verdict.fail(check, link, std::move(expected), std::move(found));
    return good;
}

std::string kind_text(const ASN1_OBJECT* object) {
    const int nid = OBJ_obj2nid(object);
    if (nid != NID_undef) return OBJ_nid2sn(nid);
    char dotted[80]{};
    OBJ_obj2txt(dotted, sizeof dotted, object, 1);
    return dotted;
}

// RFC 5280 4.1.2.5: UTCTime as YYMMDDHHMMSSZ, GeneralizedTime as YYYYMMDDHHMMSSZ, nothing else.
bool is_strict_time(const ASN1_TIME* time) {
    const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(time)),
                                static_cast<std::size_t>(ASN1_STRING_length(time)));
    const std::size_t size = ASN1_STRING_type(time) == V_ASN1_UTCTIME ? 13 : 15;
    return text.size() == size && text.back() == 'Z' &&
           std::ranges::all_of(text.substr(0, size - 1), [](char c) { return c >= '0' && c <= '9'; }) &&
           ASN1_TIME_check(time) == 1;
}

std::string repeated_extension(const X509* certificate) {
    std::vector<const ASN1_OBJECT*> kinds;
    const int count = X509_get_ext_count(certificate);
    kinds.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) kinds.push_back(X509_EXTENSION_get_object(X509_get_ext(certificate, i)));
    std::ranges::sort(kinds, [](auto* a, auto* b) { return OBJ_cmp(a, b) < 0; });
    const auto twin = std::ranges::adjacent_find(kinds, [](auto* a, auto* b) { return OBJ_cmp(a, b) == 0; });
    return twin == kinds.end() ? std::string() : kind_text(*twin);
}

std::string fault_of_form(const Certificate& certificate, int link) {
    X509* handle = certificate.handle();
    if (X509_NAME_entry_count(X509_get_issuer_name(handle)) == 0) return "an empty issuer name";
    for (const auto* name : {X509_get_issuer_name(handle), X509_get_subject_name(handle)})
        if (const int count = X509_NAME_entry_count(name); count > most_attributes)
            return fmt::format("a name of {} attributes, where {} are allowed", count, most_attributes);
    if (link > 0 && X509_NAME_entry_count(X509_get_subject_name(handle)) == 0)
        return "a CA without a subject";
    if (X509_get_version(handle) != X509_VERSION_3 && X509_get_ext_count(handle) > 0)
        return fmt::format("extensions in version {}", X509_get_version(handle) + 1);
    if (!is_strict_time(X509_get0_notBefore(handle)) || !is_strict_time(X509_get0_notAfter(handle)))
        return "a date in a form that RFC 5280 forbids";
    const X509_ALGOR* outside = nullptr;
    X509_get0_signature(nullptr, &outside, handle);
    if (X509_ALGOR_cmp(outside, X509_get0_tbs_sigalg(handle)) != 0)
        return "two different signature algorithms";
    if (const auto twice = repeated_extension(handle); !twice.empty())
        return "the extension " + twice + " twice";
    const auto flags = X509_get_extension_flags(handle);
    clear_openssl_errors();
    if ((flags & EXFLAG_INVALID) != 0) return "an extension that does not decode or contradicts another";
    if ((flags & EXFLAG_CA) == 0 && X509_get_ext_by_NID(handle, NID_name_constraints, -1) >= 0)
        return "name constraints in a certificate that is no CA";
    return {};
}

// Policies other than a demand for explicit ones cannot turn a yes into a no while every policy is
// acceptable, which is how `verify` is defined; so they need no processing.
bool is_processed(int nid) {
    constexpr std::array known{NID_basic_constraints, NID_key_usage,          NID_ext_key_usage,
                               NID_subject_alt_name,  NID_name_constraints,   NID_certificate_policies,
                               NID_policy_mappings,   NID_policy_constraints, NID_inhibit_any_policy};
    return std::ranges::find(known, nid) != known.end();
}

bool demands_explicit_policy(const X509* certificate) {
    if (X509_get_ext_by_NID(certificate, NID_policy_constraints, -1) < 0) return false;
    const std::unique_ptr<POLICY_CONSTRAINTS, FreeWith<POLICY_CONSTRAINTS_free>> policy(
        static_cast<POLICY_CONSTRAINTS*>(
            X509_get_ext_d2i(certificate, NID_policy_constraints, nullptr, nullptr)));
    clear_openssl_errors();
    return !policy || policy->requireExplicitPolicy;
}

std::string unprocessed_extension(const X509* certificate) {
    for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
        X509_EXTENSION* extension = X509_get_ext(certificate, i);
        const ASN1_OBJECT* kind = X509_EXTENSION_get_object(extension);
        if (X509_EXTENSION_get_critical(extension) != 0 && !is_processed(OBJ_obj2nid(kind)))
            return kind_text(kind);
    }
    return demands_explicit_policy(certificate) ? "policyConstraints with requireExplicitPolicy" : "";
}

struct Usage {
    std::uint32_t key_usage;
    std::uint32_t extended;
    std::string_view key_usage_text;
    std::string_view extended_text;
};
Usage usage_of(Purpose purpose) {
    if (purpose == Purpose::server)
        return {KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT, XKU_SSL_SERVER,
                "digitalSignature, keyEncipherment or keyAgreement", "serverAuth"};
    return {KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT, XKU_SSL_CLIENT, "digitalSignature or keyAgreement",
            "clientAuth"};
}

std::string key_usage_text(std::uint32_t bits) {
    if (bits == absent) return "no keyUsage, so any";
    std::vector<std::string_view> names;
    constexpr std::array<std::pair<std::uint32_t, std::string_view>, 9> all{{
        {KU_DIGITAL_SIGNATURE, "digitalSignature"},
        {KU_NON_REPUDIATION, "nonRepudiation"},
        {KU_KEY_ENCIPHERMENT, "keyEncipherment"},
        {KU_DATA_ENCIPHERMENT, "dataEncipherment"},
        {KU_KEY_AGREEMENT, "keyAgreement"},
        {KU_KEY_CERT_SIGN, "keyCertSign"},
        {KU_CRL_SIGN, "cRLSign"},
        {KU_ENCIPHER_ONLY, "encipherOnly"},
        {KU_DECIPHER_ONLY, "decipherOnly"},
    }};
    for (const auto& [bit, name] : all)
        if ((bits & bit) != 0) names.push_back(name);
    return names.empty() ? "a keyUsage without any use" : fmt::format("{}", fmt::join(names, ", "));
}

std::string extended_text(const Certificate& certificate) {
    auto all = certificate.extended_key_usage();
    if (!all) return "no extKeyUsage, so any";
    if (all->size() > 8) all->resize(8);
    return all->empty() ? "an extKeyUsage without any use" : fmt::format("{}", fmt::join(*all, ", "));
}

std::string_view id(int link, std::string_view leaf, std::string_view path) {
    return link == 0 ? leaf : path;
}

}  // namespace

bool check_form(const Certificate& certificate, int link, Verdict& verdict) {
    auto fault = fault_of_form(certificate, link);
    const bool good = fault.empty();
    return step(
        verdict, good, id(link, checks::leaf_form, checks::path_form), link,
        "a certificate as RFC 5280 has it",
        good ? fmt::format("version {}", X509_get_version(certificate.handle()) + 1) : std::move(fault));
}

bool check_critical_extensions(const Certificate& certificate, int link, Verdict& verdict) {
    auto unknown = unprocessed_extension(certificate.handle());
    const bool good = unknown.empty();
    return step(verdict, good, id(link, checks::leaf_critical_extensions, checks::path_critical_extensions),
                link, "no critical extension but those processed", good ? "none" : std::move(unknown));
}

bool check_validity(const Certificate& certificate, int link, base::Instant now, Verdict& verdict) {
    const auto from = certificate.not_before();
    const auto to = certificate.not_after();
    std::string found = fmt::format("{} to {}", base::format_rfc3339(from), base::format_rfc3339(to));
    if (now < from)
        found += fmt::format(", not valid for another {}", base::format_duration(from - now));
    else if (now > to)
        found += fmt::format(", expired {} ago", base::format_duration(now - to));
    return step(verdict, from <= now && now <= to, id(link, checks::leaf_validity, checks::path_validity),
                link, "valid at " + base::format_rfc3339(now), std::move(found));
}

bool check_key_strength(const Certificate& certificate, int link, Verdict& verdict) {
    auto strength = key_strength(certificate);
    return step(verdict, strength.enough, id(link, checks::leaf_key_strength, checks::path_key_strength),
                link, "RSA of 2048 bits, EC of 224 bits, or better", std::move(strength.description));
}

bool check_leaf_usage(const Certificate& leaf, Purpose purpose, Verdict& verdict) {
    if (purpose == Purpose::any) return true;
    const auto usage = usage_of(purpose);
    const auto key_usage = X509_get_key_usage(leaf.handle());
    const auto extended = X509_get_extended_key_usage(leaf.handle());
    const bool good_key_usage = step(verdict, (key_usage & usage.key_usage) != 0, checks::leaf_key_usage, 0,
                                     std::string(usage.key_usage_text), key_usage_text(key_usage));
    const bool good_extended =
        step(verdict, extended == absent || (extended & usage.extended) != 0, checks::leaf_extended_key_usage,
             0, std::string(usage.extended_text), extended_text(leaf));
    return good_key_usage && good_extended;
}

bool check_ca(const Certificate& ca, int link, int issuers_below, Purpose purpose, Verdict& verdict) {
    X509* handle = ca.handle();
    const auto flags = X509_get_extension_flags(handle);
    const bool is_ca = (flags & EXFLAG_BCONS) != 0 && (flags & EXFLAG_CA) != 0;
    bool good = step(verdict, is_ca, checks::path_basic_constraints, link, "basicConstraints CA:TRUE",
                     is_ca                         ? "CA:TRUE"
                     : (flags & EXFLAG_BCONS) == 0 ? "no basicConstraints"
                                                   : "CA:FALSE");
    const long most = X509_get_pathlen(handle);
    good &= step(verdict, most < 0 || issuers_below <= most, checks::path_length, link,
                 most < 0 ? "any number of CAs below" : fmt::format("at most {} CAs below", most),
                 fmt::format("{} CAs below{}", issuers_below,
                             most < 0 ? ", no limit" : fmt::format(" of at most {}", most)));
    const auto key_usage = X509_get_key_usage(handle);
    good &= step(verdict, (key_usage & KU_KEY_CERT_SIGN) != 0, checks::path_key_usage, link, "keyCertSign",
                 key_usage_text(key_usage));
    const auto extended = X509_get_extended_key_usage(handle);
    if (purpose == Purpose::any || extended == absent) return good;
    const auto usage = usage_of(purpose);
    return good & step(verdict, (extended & (usage.extended | XKU_ANYEKU)) != 0,
                       checks::path_extended_key_usage, link, std::string(usage.extended_text),
                       extended_text(ca));
}

}  // namespace pki
