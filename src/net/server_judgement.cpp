// SPDX-License-Identifier: Apache-2.0
#include "net/server_judgement.hpp"

#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"

namespace net {

void ServerJudgement::log(const std::string& name, const pki::Verdict& verdict) {
    if (verdict.steps.empty()) return;
    if (!verdict.accepted()) {
        base::log::warning(
            base::events::server_refused,
            {{"name", name}, {"reason", pki::summary(verdict)}, {"steps", pki::to_text(verdict)}});
    } else if (!std::exchange(accepted_, true)) {
        base::log::info(base::events::server_accepted, {{"name", name}, {"steps", pki::to_text(verdict)}});
    }
}

}  // namespace net
