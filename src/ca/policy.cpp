// SPDX-License-Identifier: Apache-2.0
#include "ca/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "ca/name_template.hpp"
#include "pki/name.hpp"
#include "pki/subject_name.hpp"

namespace ca {
namespace {

constexpr std::size_t most_names = 100;
constexpr std::string_view change_subject_name = "1.3.6.1.5.5.7.7.36";  // RFC 6402 2.8
constexpr std::string_view usage_extension = "2.5.29.37";
constexpr std::array<std::string_view, 2> keygen_encryption{"1.2.840.113549.1.9.16.2.37",
                                                            "1.2.840.113549.1.9.16.2.54"};

bool has_attribute(const pki::Csr& csr, std::string_view oid) {
    return std::ranges::find(csr.attributes, oid) != csr.attributes.end();
}

/// The mark of an EST identity's own renewal, where it and its device share a name.
bool asks_for_client_use_alone(const pki::Csr& csr) {
    return csr.extensions.size() == 1 && csr.extensions.front() == usage_extension &&
           csr.usages.size() == 1 && csr.usages.front() == "clientAuth";
}

bool has_own_subject(const Petition& petition) {
    return petition.caller.certificate &&
           pki::same_subject(petition.csr.subject_der, pki::subject_der(*petition.caller.certificate));
}

/// Names as a set, DNS without case.
std::set<std::string> name_set(const std::vector<std::string>& names) {
    std::set<std::string> all;
    for (const auto& name : names) all.insert(name.starts_with("DNS:") ? base::to_lower(name) : name);
    return all;
}

Granted<void> check_key(const ProfileConfig& rules, const pki::Csr& csr) {
    if (rules.keys.empty()) return {};
    const auto kind = csr.key.description();
    if (std::ranges::find(rules.keys, kind) != rules.keys.end()) return {};
    return refuse_with("key.type", fmt::format("this profile takes no key of the type {}", kind));
}

Granted<void> check_extensions(pki::Profile profile, const pki::Csr& csr) {
    const bool ca = pki::rules(profile).ca;
    if (!ca && csr.asks_ca)
        return refuse_with("csr.extension",
                           "the request asks to be a CA, which is for the label of Edge CAs alone");
    if (!ca && csr.asks_cert_sign)
        return refuse_with("csr.extension", "the request asks to sign certificates, which no leaf does");
    if (ca && !csr.asks_ca)
        return refuse_with("csr.extension",
                           "this label issues CA certificates, and the request asks for none");
    if (!csr.powers.empty())
        return refuse_with("csr.extension", fmt::format("the request asks for {}", csr.powers.front()));
    return {};
}

Granted<void> check_subject_form(const pki::Csr& csr) {
    static constexpr std::array<std::string_view, 8> types{"CN", "O", "OU",           "C",
                                                           "ST", "L", "serialNumber", "DC"};
    if (csr.common_name.empty()) return refuse_with("name.subject", "the subject has no common name");
    if (auto fine = pki::check_common_name(csr.common_name); !fine)
        return refuse_with("name.subject", "the common name " + fine.error().reason);
    for (const auto& attribute : csr.subject_attributes) {
        if (std::ranges::find(types, attribute.type) == types.end())
            return refuse_with(
                "name.subject",
                fmt::format("the subject has the attribute {}, which is not allowed", attribute.type));
        if (!attribute.plain)
            return refuse_with("name.subject", fmt::format("{} of the subject is neither a UTF8String nor a "
                                                           "PrintableString",
                                                           attribute.type));
        const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
        if (attribute.value.empty() || std::ranges::any_of(attribute.value, control))
            return refuse_with(
                "name.subject",
                fmt::format("{} of the subject is empty or has control characters", attribute.type));
    }
    return {};
}

Granted<void> check_san_form(const ProfileConfig& rules, pki::Profile profile, const pki::Csr& csr) {
    if (csr.names.size() > most_names)
        return refuse_with("name.san", fmt::format("the request asks for {} names, {} are allowed",
                                                   csr.names.size(), most_names));
    const auto wanted = pki::rules(profile).san;
    if (wanted == pki::San::forbidden && !csr.names.empty())
        return refuse_with("name.san", "this profile takes no subject alternative name");
    if (wanted == pki::San::required && csr.names.empty())
        return refuse_with("name.san", "this profile needs a subject alternative name");
    for (const auto& name : csr.names) {
        if (auto fine = pki::check_name(name); !fine)
            return refuse_with("name.san", "a subject alternative name " + fine.error().reason);
        if (pki::is_wildcard(name) && (profile != pki::Profile::server || !rules.wildcards))
            return refuse_with("name.san", "a subject alternative name is a wildcard");
    }
    return {};
}

const NameRules& rules_of(const Petition& petition) {
    if (petition.caller.bootstrap) return petition.caller.bootstrap->names;
    if (petition.caller.user) return petition.caller.user->names;
    return petition.label.names;
}

/// Whether the templates give these names. Tells by `own` whether the common name is bound to the caller's
/// device, and not merely left open.
Granted<void> check_allowed(const Petition& petition, bool& own) {
    const auto& rules = rules_of(petition);
    const auto& csr = petition.csr;
    const NameValues values{petition.caller.device, csr.common_name};
    own = false;
    bool allowed = false;
    for (const auto& pattern : rules.subjects) {
        if (!template_matches(pattern, csr.common_name, values)) continue;
        allowed = true;
        own = own || !is_open_template(pattern);
    }
    if (!allowed) return refuse_with("name.not_allowed", "the common name is none that this caller may have");
    for (const auto& name : csr.names) {
        const auto gives = [&](const std::string& pattern) {
            return template_matches(pattern, name, values);
        };
        if (std::ranges::none_of(rules.sans, gives))
            return refuse_with("name.san", "a subject alternative name is none that this caller may have");
    }
    return {};
}

/// A renewal keeps subject and names; the new certificate copies the bytes of the old one.
Granted<Grant> renewal(const Config& config, const Petition& petition, pki::Profile profile) {
    const auto& caller = petition.caller;
    const auto& csr = petition.csr;
    const bool reenroll = petition.operation == est::Operation::simplereenroll;
    if (has_attribute(csr, change_subject_name))
        return refuse_with("reenroll.changename", "a renewal changes no name");
    if (!has_own_subject(petition))
        return refuse_with(reenroll ? "reenroll.subject" : "name.not_allowed",
                           "the subject is not that of the certificate that is renewed");
    const auto names = caller.certificate->subject_alternative_names();
    if (name_set(csr.names) != name_set(names))
        return refuse_with(reenroll ? "reenroll.san" : "name.not_allowed",
                           "the subject alternative names are not those of the certificate that is renewed");
    const bool same_key = csr.key == pki::PublicKey::of(*caller.certificate);
    const auto rules = config.profile(profile);
    if (caller.expired && !same_key)
        return refuse_with("auth.expired", "an expired certificate is renewed with its own key alone");
    if (rules.rekey == ProfileConfig::Rekey::require && same_key && !caller.expired)
        return refuse_with("reenroll.key", "a renewal under this profile brings a new key");
    if (rules.rekey == ProfileConfig::Rekey::forbid && !same_key)
        return refuse_with("reenroll.key", "a renewal under this profile keeps its key");
    return Grant{.profile = profile,
                 .common_name = caller.certificate->common_name(),
                 .subject_der = pki::subject_der(*caller.certificate),
                 .names = names,
                 .device = caller.entry->device,
                 .replaces = caller.entry->serial,
                 .manual = rules.manual,
                 .detail = caller.expired ? "renewed after expiry" : ""};
}

Granted<Grant> enrolment(const Config& config, const Petition& petition, pki::Profile profile) {
    const auto& csr = petition.csr;
    const auto rules = config.profile(profile);
    if (petition.caller.expired)
        return refuse_with("auth.expired", "an expired certificate renews itself and nothing else");
    if (auto fine = check_subject_form(csr); !fine) return std::unexpected(fine.error());
    bool own = false;
    if (auto fine = check_san_form(rules, profile, csr); !fine) return std::unexpected(fine.error());
    if (auto fine = check_allowed(petition, own); !fine) return std::unexpected(fine.error());
    // A name that was left open names a device of its own; a name made of the caller's device is the
    // caller's.
    const bool bound = petition.caller.actor.kind == Actor::Kind::est_identity || own;
    return Grant{
        .profile = profile,
        .common_name = csr.common_name,
        .subject_der = csr.subject_der,
        .names = csr.names,
        .device = bound && !petition.caller.device.empty() ? petition.caller.device : csr.common_name,
        .replaces = {},
        .manual = rules.manual,
        .detail = petition.operation == est::Operation::serverkeygen ? "serverkeygen" : ""};
}

}  // namespace

Granted<ProfileChoice> choose_profile(const Petition& petition) {
    const auto& caller = petition.caller;
    if (petition.operation == est::Operation::simplereenroll) {
        const auto profile = caller.entry->profile;
        if (petition.label_given && !petition.label.mentions(profile))
            return refuse_with("reenroll.profile", "the label is for another kind of certificate");
        return ProfileChoice{profile, true};
    }
    if (caller.actor.kind == Actor::Kind::issued) return ProfileChoice{caller.entry->profile, true};
    if (caller.actor.kind == Actor::Kind::est_identity && has_own_subject(petition) &&
        asks_for_client_use_alone(petition.csr))
        return ProfileChoice{pki::Profile::est_identity, true};
    const auto found = petition.label.profiles.find(caller.actor.kind);
    if (found == petition.label.profiles.end())
        return refuse_with("policy.label", "this caller may enrol nothing at this label");
    return ProfileChoice{found->second, false};
}

Granted<Grant> decide(const Config& config, const Petition& petition) {
    const auto choice = choose_profile(petition);
    if (!choice) return std::unexpected(choice.error());
    const bool keygen = petition.operation == est::Operation::serverkeygen;
    if (keygen) {
        for (const auto oid : keygen_encryption)
            if (has_attribute(petition.csr, oid))
                return refuse_with("keygen.encryption",
                                   "keys are not returned encrypted by a key of the client");
    } else if (auto fine = check_key(config.profile(choice->profile), petition.csr); !fine) {
        return std::unexpected(fine.error());
    }
    if (auto fine = check_extensions(choice->profile, petition.csr); !fine)
        return std::unexpected(fine.error());
    return choice->renewal ? renewal(config, petition, choice->profile)
                           : enrolment(config, petition, choice->profile);
}

}  // namespace ca
