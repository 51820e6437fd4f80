// SPDX-License-Identifier: Apache-2.0
#include "check/judge_certificate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pki/checks.hpp"

namespace check {
namespace {

std::string name_of(const pki::Certificate& certificate) {
    const auto name = certificate.common_name();
    return name.empty() ? certificate.subject() : name;
}

// "device certificate (TempSensor)", or its issuer with its place in the file.
std::string link_of(const std::string& thing, const pki::Chain& chain, std::size_t i) {
    if (i == 0) return fmt::format("{} ({})", thing, name_of(chain[i]));
    return fmt::format("{}: its certificate {} ({})", thing, i + 1, name_of(chain[i]));
}

std::chrono::seconds warn_before(const pki::Certificate& certificate) {
    const std::chrono::seconds lifetime = certificate.not_after() - certificate.not_before();
    return std::min(std::chrono::seconds(soon), lifetime / 10);
}

Finding judge_dates(const std::string& link, const pki::Certificate& certificate, base::Instant now,
                    const std::string& fix) {
    if (now < certificate.not_before())
        return error(
            fmt::format("{} is not valid before {}", link, base::format_rfc3339(certificate.not_before())),
            "set the clock of this machine; if it is right, wait, or have the certificate issued anew");
    if (now >= certificate.not_after())
        return error(fmt::format("{} expired at {}", link, base::format_rfc3339(certificate.not_after())),
                     fix);
    const auto left = certificate.not_after() - now;
    if (left < warn_before(certificate))
        return warning(fmt::format("{} expires in {}, at {}", link, base::format_duration(left),
                                   base::format_rfc3339(certificate.not_after())),
                       fix);
    return ok("");
}

}  // namespace

Finding judge_validity(const std::string& thing, const pki::Chain& chain, base::Instant now,
                       const std::string& fix) {
    std::vector<Finding> all;
    auto first = chain.front().not_after();
    for (std::size_t i = 0; i < chain.size(); ++i) {
        all.push_back(judge_dates(link_of(thing, chain, i), chain[i], now, fix));
        first = std::min(first, chain[i].not_after());
    }
    return worst(all, fmt::format("{} is valid until {}", thing, base::format_rfc3339(first)));
}

Finding judge_schedule(const std::string& thing, const pki::Certificate& leaf, const Schedule& schedule,
                       base::Instant now) {
    const auto due = base::format_rfc3339(schedule.due);
    const auto* fix = "see sallyport edge run's log for why it is not renewed, and that it runs";
    if (now >= leaf.not_after())
        return error(fmt::format("{} was to be renewed from {} and expired at {}", thing, due,
                                 base::format_rfc3339(leaf.not_after())),
                     fix);
    if (now >= schedule.late)
        return warning(fmt::format("{} was to be renewed from {} and is not", thing, due), fix);
    return ok(fmt::format("{} is renewed from {}", thing, due));
}

Finding judge_order(const std::string& thing, const pki::Chain& chain) {
    for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
        if (chain[i].issuer() == chain[i + 1].subject()) continue;
        const auto where = std::ranges::find(chain, chain[i].issuer(), &pki::Certificate::subject);
        const auto reason =
            fmt::format("{}: certificate {} ({}) is followed by {}, but was issued by {}", thing, i + 1,
                        chain[i].subject(), chain[i + 1].subject(), chain[i].issuer());
        if (where != chain.end())
            return error(reason, fmt::format("put the certificates of the file in order: the leaf, then each "
                                             "one's issuer ({} next)",
                                             chain[i].issuer()));
        return error(reason, fmt::format("take {} out of the file, or put its missing issuer {} before it",
                                         chain[i + 1].subject(), chain[i].issuer()));
    }
    return ok(
        fmt::format("{}: {} in order", thing,
                    chain.size() == 1 ? "1 certificate" : fmt::format("{} certificates", chain.size())));
}

Finding judge_pair(const std::string& thing, const pki::Certificate& leaf, const pki::PublicKey& key) {
    if (pki::PublicKey::of(leaf) == key) return ok(fmt::format("{} and its key are a pair", thing));
    return error(fmt::format("{} ({}) does not belong to its private key", thing, leaf.subject()),
                 "name a certificate and the key that it was made for; what the services made themselves is "
                 "made anew once certificate and key are removed");
}

Finding judge_key(const std::string& thing, const pki::PublicKey& key) {
    const auto kind = key.description();
    if (const auto strong = key.check_strength(thing); !strong)
        return warning(fmt::format("{} is {}: {}", thing, kind, strong.error().reason),
                       "make a new key (EC P-256, or RSA of 2048 bits or more) and a certificate for it");
    if (!key.is_rsa() && kind != "EC P-256")
        return warning(
            fmt::format("{} is {}, which few other programs take and which costs more", thing, kind),
            "take EC P-256, or RSA of 2048 bits or more");
    return ok(fmt::format("{} is {}", thing, kind));
}

Finding judge_is_ca(const std::string& thing, const pki::Certificate& certificate) {
    if (certificate.is_ca()) return ok(fmt::format("{} may issue certificates", thing));
    return error(
        fmt::format("{} ({}) is no CA: basicConstraints has no CA:TRUE", thing, certificate.subject()),
        "have it issued as a CA: sallyport ca issue --profile edge-ca");
}

Finding judge_verdict(const std::string& thing, const pki::Verdict& verdict, const std::string& fix) {
    if (verdict.accepted()) return ok(fmt::format("{} is trusted", thing));
    const auto* failure = verdict.first_failure();
    const auto advice = failure ? pki::advice(failure->check) : std::string_view();
    return error(fmt::format("{}: {}", thing, pki::summary(verdict)),
                 advice.empty() ? fix : std::string(advice));
}

Finding judge_trust(const std::string& thing, const pki::VerifyInput& input, const std::string& fix) {
    return judge_verdict(thing, pki::verify(input).verdict, fix);
}

Finding judge_own_root(const pki::Chain& chain, const pki::TrustBundle& bundle, base::Instant now) {
    const auto verified = pki::verify({.chain = chain, .trust = bundle, .now = now});
    const auto& steps = verified.verdict.steps;
    // Its dates are another check's; here the way up to an anchor counts.
    const auto no_way = std::ranges::find_if(steps, [](const pki::Step& step) {
        return step.outcome == pki::Outcome::failed && step.check.starts_with("path.") &&
               step.check != pki::checks::path_validity;
    });
    if (no_way == steps.end() && !bundle.empty()) return ok("the trust bundle holds the Edge CA's root");
    const auto& top = chain.back();
    return error(
        fmt::format("the trust bundle has no root for the Edge CA's chain, which ends at {}, issued by {}",
                    top.subject(), top.issuer()),
        fmt::format("add the certificate of {} to the file of trust_bundle_cert in config.toml",
                    top.is_self_issued() ? top.subject() : top.issuer()));
}

}  // namespace check
