// SPDX-License-Identifier: Apache-2.0
#include "pki/name_constraints.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "pki/general_name.hpp"
#include "pki/peer_name.hpp"

namespace pki {
namespace {

std::string subtree_text(const GENERAL_NAME& base) {
    switch (base.type) {
        case GEN_DNS:
            return "DNS:" + printable(octets_of(base.d.dNSName));
        case GEN_EMAIL:
            return "email:" + printable(octets_of(base.d.rfc822Name));
        case GEN_URI:
            return "URI:" + printable(octets_of(base.d.uniformResourceIdentifier));
        case GEN_DIRNAME:
            return "DirName:" + shortened(name_text(base.d.directoryName));
        case GEN_IPADD: {
            const std::span octets(ASN1_STRING_get0_data(base.d.iPAddress),
                                   static_cast<std::size_t>(ASN1_STRING_length(base.d.iPAddress)));
            if (!is_address_subtree(octets)) return "IP:" + address_text(octets);
            const auto half = octets.size() / 2;
            return fmt::format("IP:{}/{}", address_text(octets.first(half)),
                               address_text(octets.subspan(half)));
        }
        default:
            return fmt::format("a name of kind {}", base.type);
    }
}

}  // namespace

std::optional<NameConstraints> NameConstraints::of(const Certificate& ca) {
    X509* handle = ca.handle();
    if (X509_get_ext_by_NID(handle, NID_name_constraints, -1) < 0) return std::nullopt;
    NameConstraints all;
    int critical = 0;
    all.owner_.reset(
        static_cast<NAME_CONSTRAINTS*>(X509_get_ext_d2i(handle, NID_name_constraints, &critical, nullptr)));
    all.critical_ = critical == 1;
    if (!all.owner_) {
        clear_openssl_errors();
        all.malformed_ = "an extension that does not decode";
        return all;
    }
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(all.owner_->permittedSubtrees); ++i)
        all.read(*sk_GENERAL_SUBTREE_value(all.owner_->permittedSubtrees, i), true);
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(all.owner_->excludedSubtrees); ++i)
        all.read(*sk_GENERAL_SUBTREE_value(all.owner_->excludedSubtrees, i), false);
    if (all.texts_.empty()) all.malformed_ = "neither permitted nor excluded names";
    return all;
}

void NameConstraints::read(const GENERAL_SUBTREE& subtree, bool permitted) {
    const GENERAL_NAME& base = *subtree.base;
    const auto put = [permitted](auto& subtrees, auto value) {
        (permitted ? subtrees.permitted : subtrees.excluded).push_back(std::move(value));
    };
    bool good = !subtree.maximum && (!subtree.minimum || ASN1_INTEGER_get(subtree.minimum) == 0);
    switch (base.type) {
        case GEN_DNS:
            good = good && is_dns_subtree(octets_of(base.d.dNSName));
            put(dns_, octets_of(base.d.dNSName));
            break;
        case GEN_EMAIL:
            good = good && is_email_subtree(octets_of(base.d.rfc822Name));
            put(email_, octets_of(base.d.rfc822Name));
            break;
        case GEN_URI:
            good = good && is_uri_subtree(octets_of(base.d.uniformResourceIdentifier));
            put(uri_, octets_of(base.d.uniformResourceIdentifier));
            break;
        case GEN_IPADD: {
            const std::span octets(ASN1_STRING_get0_data(base.d.iPAddress),
                                   static_cast<std::size_t>(ASN1_STRING_length(base.d.iPAddress)));
            good = good && is_address_subtree(octets);
            put(addresses_, octets);
            break;
        }
        case GEN_DIRNAME:
            put(directories_, distinguished_name(base.d.directoryName));
            break;
        default:
            others_.push_back(base.type);
            break;
    }
    // Texts are for people; a hostile extension with thousands must not cost thousands of them.
    if (texts_.size() < 4) texts_.push_back((permitted ? "permitted " : "excluded ") + subtree_text(base));
    if (!good && malformed_.empty()) malformed_ = "a malformed constraint " + subtree_text(base);
}

std::string NameConstraints::text() const {
    const auto count = dns_.permitted.size() + dns_.excluded.size() + email_.permitted.size() +
                       email_.excluded.size() + uri_.permitted.size() + uri_.excluded.size() +
                       addresses_.permitted.size() + addresses_.excluded.size() +
                       directories_.permitted.size() + directories_.excluded.size() + others_.size();
    std::string all = fmt::format("{}", fmt::join(texts_, ", "));
    return count > texts_.size() ? fmt::format("{} and {} more", all, count - texts_.size()) : all;
}

template <class Base, class Within, class Text>
NameConstraints::Finding NameConstraints::compare(const Subtrees<Base>& subtrees, Within within,
                                                  Text name_text, Budget& budget) const {
    for (const auto& base : subtrees.excluded) {
        if (!budget.take_comparison()) return {Answer::out_of_budget, {}, {}, {}};
        if (within(base, Subtree::excluded)) return {Answer::refused, text(), name_text(), {}};
    }
    for (const auto& base : subtrees.permitted) {
        if (!budget.take_comparison()) return {Answer::out_of_budget, {}, {}, {}};
        if (within(base, Subtree::permitted)) return {};
    }
    if (subtrees.permitted.empty()) return {};
    return {Answer::refused, text(), name_text(), {}};
}

NameConstraints::Finding NameConstraints::check_dns(std::string_view name, Budget& budget) const {
    if (!dns_.any()) return {};
    if (!is_dns_name(name, Wildcard::allowed)) return malformed_name("DNS:" + printable(name));
    return compare(
        dns_, [name](std::string_view base, Subtree kind) { return dns_is_within(name, base, kind); },
        [name] { return "DNS:" + printable(name); }, budget);
}

NameConstraints::Finding NameConstraints::check_email(std::string_view name, Budget& budget) const {
    if (!email_.any()) return {};
    if (!is_mailbox(name)) return malformed_name("email:" + printable(name));
    return compare(
        email_, [name](std::string_view base, Subtree) { return email_is_within(name, base); },
        [name] { return "email:" + printable(name); }, budget);
}

NameConstraints::Finding NameConstraints::check_uri(std::string_view name, Budget& budget) const {
    if (!uri_.any()) return {};
    const auto host = uri_host(name);
    if (host.empty()) return malformed_name("URI:" + printable(name));
    return compare(
        uri_, [host](std::string_view base, Subtree) { return uri_host_is_within(host, base); },
        [name] { return "URI:" + printable(name); }, budget);
}

NameConstraints::Finding NameConstraints::check_address(Octets name, Budget& budget) const {
    if (!addresses_.any()) return {};
    if (name.size() != 4 && name.size() != 16) return malformed_name("IP:" + address_text(name));
    return compare(
        addresses_, [name](Octets base, Subtree) { return address_is_within(name, base); },
        [name] { return "IP:" + address_text(name); }, budget);
}

NameConstraints::Finding NameConstraints::check_directory(const DirectoryName& name, Budget& budget) const {
    return compare(
        directories_,
        [&name](const DistinguishedName& base, Subtree) { return is_within(name.canonical, base); },
        [&name] { return "DirName:" + shortened(name_text(name.name)); }, budget);
}

NameConstraints::Finding NameConstraints::check_others(const CertificateNames& names) const {
    for (const int kind : names.others) {
        if (std::ranges::find(others_, kind) == others_.end()) continue;
        auto found = fmt::format("a name of kind {}, which is constrained and which we cannot compare", kind);
        if (critical_) return {Answer::refused, text(), std::move(found), {}};
        return {Answer::allowed, {}, {}, std::move(found)};
    }
    return {};
}

NameConstraints::Finding NameConstraints::check(const CertificateNames& names, Budget& budget) const {
    Finding finding = check_others(names);
    const auto each = [&](const auto& kind, auto check_one) {
        for (const auto& name : kind) {
            if (finding.answer != Answer::allowed) return;
            auto one = (this->*check_one)(name, budget);
            if (one.answer != Answer::allowed) finding = std::move(one);
        }
    };
    each(names.dns, &NameConstraints::check_dns);
    each(names.addresses, &NameConstraints::check_address);
    each(names.directories, &NameConstraints::check_directory);
    each(names.email, &NameConstraints::check_email);
    each(names.uri, &NameConstraints::check_uri);
    return finding;
}

NameConstraints::Finding NameConstraints::malformed_name(std::string name) const {
    return {Answer::refused, "well-formed names, since " + text(), std::move(name), {}};
}

}  // namespace pki
