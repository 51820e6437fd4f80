// SPDX-License-Identifier: Apache-2.0
#include "pki/verify.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pki/budget.hpp"
#include "pki/certificate_checks.hpp"
#include "pki/certificate_names.hpp"
#include "pki/checks.hpp"
#include "pki/path_builder.hpp"

namespace pki {
namespace {

// "DNS:a, DNS:b and 3 more": what the leaf offers in place of what was dialled.
std::string offered(const Certificate& leaf) {
    constexpr std::size_t most = 5;
    const auto names = certificate_names(leaf);
    std::vector<std::string> all;
    const auto add = [&](std::string text) {
        if (all.size() < most) all.push_back(std::move(text));
    };
    for (const auto& name : names.dns) add("DNS:" + printable(name));
    for (const auto& name : names.addresses) add("IP:" + address_text(name));
    const auto count = names.dns.size() + names.addresses.size();
    if (all.empty())
        return fmt::format("{}, common name {}",
                           names.has_san ? "a SAN with no DNS name or address" : "no SAN",
                           printable(leaf.common_name()));
    std::string text = all.front();
    for (std::size_t i = 1; i < all.size(); ++i) text += ", " + all[i];
    return count > all.size() ? fmt::format("{} and {} more", text, count - all.size()) : text;
}

/// What of the leaf answered to the name that was dialled.
struct NameAnswer {
    std::string found;        ///< empty where nothing did
    std::string common_name;  ///< where the CN did
    bool out_of_budget = false;
};

NameAnswer answer_of(const Certificate& leaf, const PeerName& peer, Policy policy, Budget& budget) {
    const auto names = certificate_names(leaf);
    if (peer.is_address()) {
        for (const auto& address : names.addresses) {
            if (!budget.take_comparison()) return {{}, {}, true};
            if (std::ranges::equal(std::as_bytes(address), peer.address()))
                return {"iPAddress " + address_text(address), {}};
        }
        return {};
    }
    for (const auto& name : names.dns) {
        if (!budget.take_comparison()) return {{}, {}, true};
        if (dns_name_matches(name, peer.text())) return {"dNSName " + printable(name), {}};
    }
    // The one allowance beside RFC 9525: IoT Edge's older certificates name the gateway by CN alone.
    if (names.has_san || policy == Policy::strict) return {};
    for (const auto& name : leaf.common_names()) {
        if (!budget.take_comparison()) return {{}, {}, true};
        if (dns_name_matches(name, peer.text()))
            return {"common name " + printable(name) + ", there being no SAN", name};
    }
    return {};
}

std::string check_name(const Certificate& leaf, const PeerName& peer, Policy policy, Budget& budget,
                       Verdict& verdict) {
    auto answer = answer_of(leaf, peer, policy, budget);
    std::string expected = (peer.is_address() ? "iPAddress " : "dNSName ") + printable(peer.text());
    if (answer.out_of_budget) {
        verdict.fail(checks::path_budget, -1,
                     fmt::format("a decision within {} comparisons of names", Budget::most_comparisons),
                     "a leaf with more names");
        return {};
    }
    if (answer.found.empty())
        verdict.fail(checks::leaf_san, 0, std::move(expected), offered(leaf));
    else
        verdict.pass(checks::leaf_san, 0, std::move(expected), std::move(answer.found));
    return std::move(answer.common_name);
}

}  // namespace

Verification verify(const VerifyInput& input) {
    Verification result;
    Verdict& verdict = result.verdict;
    if (input.chain.empty()) {
        verdict.fail(checks::leaf_present, -1, "a certificate", "none");
        return result;
    }
    const Certificate& leaf = input.chain.front();
    Budget budget;
    if (!check_form(leaf, 0, verdict)) {
        verdict.skip(checks::path_anchor, -1, "a path to a certificate of the trust bundle");
        result.path.push_back(leaf);
        return result;
    }
    check_critical_extensions(leaf, 0, verdict);
    check_validity(leaf, 0, input.now, verdict);
    check_key_strength(leaf, 0, verdict);
    check_leaf_usage(leaf, input.purpose, verdict);
    std::string common_name;
    if (input.name && *input.name)
        common_name = check_name(leaf, **input.name, input.policy, budget, verdict);
    if (budget.exhausted()) {
        verdict.skip(checks::path_anchor, -1, "a path to a certificate of the trust bundle");
        result.path.push_back(leaf);
        return result;
    }
    PathBuilder builder(input, std::move(common_name), budget);
    result.path = builder.build(verdict);
    return result;
}

}  // namespace pki
