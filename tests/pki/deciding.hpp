// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>

#include <algorithm>

#include "forge.hpp"
#include "pki/verify.hpp"

namespace deciding {

struct Question {
    pki::Chain chain;
    std::vector<pki::Certificate> anchors{};
    std::vector<pki::Certificate> intermediates{};
    pki::Purpose purpose = pki::Purpose::any;
    std::string host{};
    pki::Policy policy = pki::Policy::azure;
    base::Instant now = forge::now();
};

inline pki::Verification decide(const Question& question) {
    const pki::TrustBundle trust(question.anchors);
    std::optional<pki::PeerName> name;
    if (!question.host.empty()) name = pki::PeerName::parse(question.host);
    return pki::verify({.chain = question.chain,
                        .trust = trust,
                        .intermediates = &question.intermediates,
                        .purpose = question.purpose,
                        .name = &name,
                        .now = question.now,
                        .policy = question.policy});
}

inline std::vector<std::string> subjects(const pki::Chain& path) {
    std::vector<std::string> all;
    for (const auto& each : path) all.push_back(each.common_name());
    return all;
}

MATCHER(Accepts, "is accepted") {
    *result_listener << '\n' << pki::to_text(arg.verdict);
    return arg.verdict.accepted();
}

/// The one failed step is `check` at `link`.
MATCHER_P2(RefusesFor, check, link, "fails in one step alone, the given one") {
    *result_listener << '\n' << pki::to_text(arg.verdict);
    const auto failures = std::ranges::count(arg.verdict.steps, pki::Outcome::failed, &pki::Step::outcome);
    const auto* first = arg.verdict.first_failure();
    return failures == 1 && first->check == check && first->link == link;
}

}  // namespace deciding
