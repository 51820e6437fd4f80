// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/config.hpp"
#include "hub/config.hpp"

/// The tables of hub.toml that are about messages and limits; what is wrong is noted in the document.
namespace hub {

void read_messages(base::ConfigTable& document, Retention& into);
void read_events(base::ConfigTable& document, EventWishes& into);
void read_throttle(base::ConfigTable& document, ThrottleRates& into);
void read_explain(base::ConfigTable& document, ExplainLimits& into);

}  // namespace hub
