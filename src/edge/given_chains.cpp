// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "edge/given_files.hpp"
#include "edge/given_pairs.hpp"
#include "pki/verify.hpp"

namespace edge {
namespace {

std::unexpected<base::Error> bad(const GivenPair& pair, std::string reason, std::string fix) {
    return base::fail(base::Code::invalid_argument,
                      fmt::format("{} certificate {}", pair.whose, pair.certificate), std::move(reason),
                      std::move(fix));
}

std::vector<pki::Certificate> anchors_of(const Configuration& configuration) {
    std::vector<Uri> files;
    if (configuration.trust_bundle) files.push_back(*configuration.trust_bundle);
    if (configuration.device && configuration.device->hub.trusted_certs)
        files.insert(files.end(), configuration.device->hub.trusted_certs->begin(),
                     configuration.device->hub.trusted_certs->end());
    std::vector<pki::Certificate> anchors;
    for (const auto& file : files)
        if (const auto chain = read_given_chain(file, "trust anchor"))
            anchors.insert(anchors.end(), chain->begin(), chain->end());
    return anchors;
}

/// A moment at which every certificate of the chain was valid, if there is one: dates are judged apart.
base::Instant common_moment(const pki::Chain& chain) {
    auto latest = chain.front().not_before();
    for (const auto& each : chain) latest = std::max(latest, each.not_before());
    return latest;
}

const pki::Certificate* issuer_of(const pki::Certificate& certificate,
                                  const std::vector<pki::Certificate>& among) {
    const auto found = std::ranges::find_if(among, [&](const pki::Certificate& each) {
        return each.subject() == certificate.issuer() && !(each == certificate);
    });
    return found == among.end() ? nullptr : &*found;
}

/// The first certificate on the way up whose issuer is nowhere; nullptr where the way ends well.
const pki::Certificate* where_it_ends(const pki::Chain& chain, const std::vector<pki::Certificate>& anchors) {
    const auto* here = &chain.front();
    for (std::size_t depth = 0; depth <= chain.size(); ++depth) {
        if (here->is_self_issued() || std::ranges::find(anchors, *here) != anchors.end()) return nullptr;
        if (issuer_of(*here, anchors)) return nullptr;
        const auto* above = issuer_of(*here, chain);
        if (!above) return here;
        here = above;
    }
    return nullptr;
}

base::Status check_path(const GivenPair& pair, const pki::Chain& chain,
                        std::vector<pki::Certificate> anchors) {
    if (const auto* end = where_it_ends(chain, anchors))
        return bad(pair,
                   fmt::format("has no complete chain: the issuer of {}, {}, is neither in the file nor in "
                               "trust_bundle_cert",
                               end->subject(), end->issuer()),
                   "append the missing intermediate certificates to the file, or name the root in "
                   "trust_bundle_cert");
    for (const auto& each : chain)
        if (each.is_self_issued()) anchors.push_back(each);
    const pki::TrustBundle trust(std::move(anchors));
    const auto judged = pki::verify({.chain = chain, .trust = trust, .now = common_moment(chain)});
    if (judged.verdict.accepted()) return {};
    const auto* failure = judged.verdict.first_failure();
    return bad(pair, "has a chain that does not hold: " + pki::summary(judged.verdict),
               failure ? std::string(pki::advice(failure->check)) : "");
}

void look_at_dates(const GivenPair& pair, const pki::Chain& chain, base::Instant now, Findings& out) {
    for (const auto& each : chain) {
        std::string reason;
        if (each.not_after() < now)
            reason = fmt::format("has expired: {} was valid until {}", each.subject(),
                                 base::format_rfc3339(each.not_after()));
        if (each.not_before() > now)
            reason = fmt::format("is not valid yet: {} is from {} on", each.subject(),
                                 base::format_rfc3339(each.not_before()));
        if (reason.empty()) continue;
        out.warnings.push_back(
            bad(pair, std::move(reason), "replace it; or set the clock, where that is wrong").error());
    }
}

void look_at_pair(const GivenPair& pair, const std::vector<pki::Certificate>& anchors, base::Instant now,
                  Findings& out) {
    const auto chain = read_given_chain(pair.certificate, pair.whose + " certificate");
    if (!chain) return;
    look_at_dates(pair, *chain, now, out);
    if (pair.is_ca && !chain->front().is_ca()) {
        out.problems.push_back(
            bad(pair, fmt::format("is not one of a CA: {} has no CA:TRUE", chain->front().subject()),
                "issue it with basicConstraints CA:TRUE and keyCertSign")
                .error());
        return;
    }
    if (pair.judged_elsewhere) return;
    auto path = check_path(pair, *chain, anchors);
    if (path) return;
    // The hub judges a device, by anchors or thumbprints of its own.
    (pair.is_ca ? out.problems : out.warnings).push_back(std::move(path).error());
}

}  // namespace

Findings look_at_chains(const Configuration& configuration, base::Instant now) {
    Findings out;
    const auto anchors = anchors_of(configuration);
    for (const auto& pair : given_pairs(configuration)) look_at_pair(pair, anchors, now, out);
    return out;
}

}  // namespace edge
