// SPDX-License-Identifier: Apache-2.0
#include "hub/explanation.hpp"

#include <boost/json.hpp>

#include "base/encoding.hpp"

namespace hub {

namespace {

namespace json = boost::json;

/// A peer chooses some of the texts: none of them fills the store, and all are UTF-8.
constexpr std::size_t longest_text = 512;
constexpr std::size_t most_steps = 64;

json::string clean(std::string_view text) {
    std::string out(text.substr(0, longest_text));
    if (!base::is_utf8(out)) {
        for (auto& c : out)
            if (static_cast<unsigned char>(c) > 0x7e) c = '?';
    }
    if (text.size() > longest_text) out += "...";
    return json::string(out);
}

json::array steps_json(const pki::Verdict& verdict) {
    json::array steps;
    for (const auto& step : verdict.steps) {
        if (steps.size() == most_steps) break;
        steps.push_back(json::object{{"check", clean(step.check)},
                                     {"link", step.link},
                                     {"outcome", clean(pki::to_string(step.outcome))},
                                     {"expected", clean(step.expected)},
                                     {"found", clean(step.found)}});
    }
    return steps;
}

}  // namespace

std::string to_json(const Explanation& explanation) {
    const auto* failed = explanation.verdict.first_failure();
    const json::object document{{"trackingId", clean(explanation.tracking)},
                                {"timestampUtc", base::format_rfc3339(explanation.when)},
                                {"protocol", clean(explanation.protocol)},
                                {"address", clean(explanation.address)},
                                {"deviceId", clean(explanation.identity.device)},
                                {"moduleId", clean(explanation.identity.module)},
                                {"caller", clean(explanation.caller)},
                                {"request", clean(explanation.request)},
                                {"answer", clean(explanation.answer)},
                                {"reason", clean(explanation.reason)},
                                {"steps", steps_json(explanation.verdict)},
                                {"fix", clean(failed == nullptr ? "" : pki::advice(failed->check))}};
    return json::serialize(document);
}

}  // namespace hub
