// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "hub/services.hpp"
#include "mqtt/packet.hpp"
#include "pki/verdict.hpp"
#include "trust/identity.hpp"

namespace hub {

/// A CONNECT that is refused. Its client sees a number at most; this is for operators.
struct RefusedConnect {
    trust::Identity identity;  ///< who it claims to be
    std::string address;
    std::string auth_chain{};
    std::optional<mqtt::ConnackCode> code;  ///< nullopt: the connection is closed without an answer
    base::Error why;
    const pki::Verdict* verdict = nullptr;  ///< where its credential was judged
};

/// Logs it under a new tracking id and keeps its explanation.
void tell_refused(const Services& services, const RefusedConnect& refused);

}  // namespace hub
