// SPDX-License-Identifier: Apache-2.0
#include "ca/caller.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pki/key.hpp"
#include "pki/verify.hpp"

namespace ca {
namespace {

bool has_path(const pki::Chain& presented, const pki::TrustBundle& trust, const pki::Chain& intermediates,
              base::Instant when) {
    const pki::VerifyInput question{
        .chain = presented, .trust = trust, .intermediates = &intermediates, .now = when};
    return pki::verify(question).verdict.accepted();
}

/// The moment at which the path is looked at: a leaf's own dates have a reason of their own.
base::Instant within(const pki::Certificate& leaf, base::Instant now) {
    return std::max(leaf.not_before(), std::min(now, leaf.not_after()));
}

bool uses(const pki::Certificate& leaf, std::string_view usage) {
    const auto usages = leaf.extended_key_usage();
    return !usages || std::ranges::find(*usages, usage) != usages->end();
}

Actor::Kind kind_of(const Entry& entry) {
    if (entry.profile == pki::Profile::est_identity) return Actor::Kind::est_identity;
    if (entry.profile == pki::Profile::bootstrap) return Actor::Kind::bootstrap;
    return Actor::Kind::issued;
}

const BootstrapConfig* own_bootstrap(const Config& config) {
    const auto own = [](const BootstrapConfig& each) { return each.anchors.empty(); };
    const auto found = std::ranges::find_if(config.est.bootstraps, own);
    return found == config.est.bootstraps.end() ? nullptr : &*found;
}

/// Whom a certificate of a factory's CA is for.
std::string bound_device(const pki::Certificate& leaf) {
    return leaf.common_name();
}

Granted<void> check_dates(const CallerRules& rules, Caller& caller, est::Operation operation,
                          base::Instant now) {
    const auto& leaf = *caller.certificate;
    if (now < leaf.not_before())
        return refuse_with("auth.not_yet_valid", "the client certificate is not valid yet");
    if (now <= leaf.not_after()) return {};
    const bool renews =
        operation == est::Operation::simplereenroll || operation == est::Operation::simpleenroll;
    if (caller.entry && renews) {
        const auto grace = rules.config.profile(caller.entry->profile).renew_after_expiry;
        caller.expired = grace && now <= leaf.not_after() + *grace;
    }
    if (caller.expired) return {};
    return refuse_with("auth.expired",
                       "the client certificate has expired; enrol again with the bootstrap "
                       "certificate");
}

Granted<void> check_usage(const Caller& caller, est::Operation operation) {
    const auto& leaf = *caller.certificate;
    if (leaf.is_ca())
        return refuse_with("auth.usage",
                           "a CA certificate authenticates nobody; renew it with the EST identity");
    if (uses(leaf, "clientAuth")) return {};
    const bool renews_itself = caller.entry && operation == est::Operation::simplereenroll;
    if (renews_itself && uses(leaf, "serverAuth")) return {};
    return refuse_with("auth.usage", "the client certificate is not for client authentication");
}

/// Whose certificate it is: ours, then that of a factory.
Granted<Caller> recognise(const CallerRules& rules, const pki::Chain& presented, base::Instant now) {
    const auto& leaf = presented.front();
    Caller caller{.actor = {}, .device = {}, .entry = {}, .certificate = leaf};
    const auto when = within(leaf, now);
    if (has_path(presented, rules.own, rules.intermediates, when)) caller.entry = rules.find(leaf);
    if (caller.entry) {
        caller.actor.kind = kind_of(*caller.entry);
        caller.device = caller.entry->device;
        if (caller.actor.kind == Actor::Kind::bootstrap) {
            caller.bootstrap = own_bootstrap(rules.config);
            caller.device = bound_device(leaf);
        }
        if (caller.actor.kind != Actor::Kind::bootstrap || caller.bootstrap) return caller;
    }
    for (const auto& each : rules.bootstraps) {
        if (!has_path(presented, each.trust, {}, when)) continue;
        caller.actor.kind = Actor::Kind::bootstrap;
        caller.bootstrap = each.config;
        caller.device = bound_device(leaf);
        caller.entry.reset();
        return caller;
    }
    return refuse_with("auth.certificate", "the client certificate is of no CA that may enrol here");
}

}  // namespace

Granted<Caller> judge_certificate(const CallerRules& rules, const pki::Chain& presented,
                                  est::Operation operation, const std::string& peer, base::Instant now) {
    const auto& leaf = presented.front();
    // The handshake lets every kind of key through (est-and-pki.md 3.3).
    if (auto fine = pki::PublicKey::of(leaf).check_strength("client certificate"); !fine)
        return refuse_with("auth.certificate", "the client certificate " + fine.error().reason);
    auto caller = recognise(rules, presented, now);
    if (!caller) return caller;
    if (auto fine = check_dates(rules, *caller, operation, now); !fine) return std::unexpected(fine.error());
    if (auto fine = check_usage(*caller, operation); !fine) return std::unexpected(fine.error());
    if (caller->entry && caller->entry->revocation)
        return refuse_with("auth.revoked", "the client certificate is revoked");
    caller->actor.id = caller->device;
    caller->actor.peer = peer;
    if (!caller->device.empty() && rules.is_blocked(caller->device))
        return refuse_with("auth.blocked", "this device is blocked");
    return caller;
}

Granted<void> admit(const Caller& caller, const LabelConfig& label, est::Operation operation) {
    const auto listed = [&](const std::vector<std::string>& labels) {
        return labels.empty() || std::ranges::find(labels, label.name) != labels.end();
    };
    const auto refused = [&] {
        return refuse_with("policy.label",
                           fmt::format("this caller may enrol nothing at the label {}", label.name));
    };
    if (operation == est::Operation::simplereenroll) {
        if (!caller.certificate)
            return std::unexpected(Refusal{.id = "reenroll.certificate",
                                           .text = "a renewal needs the certificate that is renewed",
                                           .status = 403});
        if (!caller.entry)
            return refuse_with("reenroll.unknown", "the client certificate was not issued here");
        return {};
    }
    if (caller.bootstrap && !listed(caller.bootstrap->labels)) return refused();
    if (caller.user && !listed(caller.user->labels)) return refused();
    if (caller.actor.kind == Actor::Kind::issued) {
        if (label.mentions(caller.entry->profile)) return {};
        return refused();
    }
    if (!label.profiles.contains(caller.actor.kind)) return refused();
    return {};
}

}  // namespace ca
