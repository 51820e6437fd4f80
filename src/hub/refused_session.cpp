// SPDX-License-Identifier: Apache-2.0
#include "hub/refused_session.hpp"

#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/tracking.hpp"

namespace hub {

void tell_refused(const Services& services, const RefusedConnect& refused) {
    const auto tracking = make_tracking_id();
    const auto* failed = refused.verdict == nullptr ? nullptr : refused.verdict->first_failure();
    const auto code = refused.code ? std::to_string(static_cast<int>(*refused.code)) : std::string();
    base::log::warning(base::events::session_refused,
                       {{"device", refused.identity.device},
                        {"module", refused.identity.module},
                        {"address", refused.address},
                        {"auth_chain", refused.auth_chain},
                        {"connack", code},
                        {"reason", refused.why.text()},
                        {"step", failed ? std::string(failed->check) : std::string()},
                        {"expected", failed ? failed->expected : std::string()},
                        {"found", failed ? failed->found : std::string()},
                        {"fix", failed ? std::string(pki::advice(failed->check)) : refused.why.fix},
                        {"steps", refused.verdict ? pki::to_text(*refused.verdict) : std::string()},
                        {"tracking", tracking}});
    Explanation explanation;
    explanation.tracking = tracking;
    explanation.when = services.clock.now();
    explanation.protocol = "mqtt";
    explanation.address = refused.address;
    explanation.identity = refused.identity;
    explanation.request =
        "CONNECT" + (refused.auth_chain.empty() ? "" : " with auth-chain " + refused.auth_chain);
    explanation.answer = refused.code ? "CONNACK " + code : "closed";
    explanation.reason = refused.why.text();
    if (refused.verdict != nullptr) explanation.verdict = *refused.verdict;
    services.explanations.add(std::move(explanation));
}

}  // namespace hub
