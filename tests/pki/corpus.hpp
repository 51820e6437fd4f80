// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "pki/verify.hpp"

namespace corpus {

/// A line of cases.jsonl, read only as far as its name needs; each test parses its own.
struct Line {
    std::string id;
    std::string tier;
    std::string json;
};
const std::vector<Line>& lines();

struct Case {
    std::string id;
    pki::Chain chain;  ///< empty where a certificate does not parse: that is a refusal
    pki::TrustBundle trust;
    pki::Purpose purpose = pki::Purpose::any;
    std::optional<pki::PeerName> name;
    base::Instant now;
    bool accept = false;
    std::string why;
};
Case read_case(const Line& line);

pki::Verification run(const Case& each, pki::Policy policy = pki::Policy::strict);

}  // namespace corpus
