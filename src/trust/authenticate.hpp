// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "pki/verify.hpp"
#include "trust/record.hpp"

namespace trust {

/// What a peer showed.
struct Presented {
    Identity claimed;
    std::string client_id;   ///< MQTT: must be `claimed.text()`; empty for HTTP (not checked)
    std::string_view token;  ///< SAS token text; empty: none
    const pki::Chain* certificates = nullptr;  ///< as in TLS, possession proven; null or empty: none
};

/// A service policy whose key may sign in place of an identity's own (`skn`).
struct PolicyKeys {
    std::string name;
    std::string primary_key;
    std::string secondary_key;
    bool device_connect = false;
};

/// A gateway that speaks for others: its `$edgeHub` record, and the auth chain that was claimed, which the
/// caller has resolved against its own tree. Members from the target up to the actor.
struct OnBehalf {
    std::string claimed_chain;         ///< "TempSensor;EdgeGateway"
    const Record* actor = nullptr;     ///< record of `<last id>/$edgeHub`
    std::vector<const Record*> links;  ///< one record for each element of the chain, target first, actor's
                                       ///< device last; for an element "d/m" the record of the device d; a
                                       ///< null is an id that is not registered
};

/// What is known about revoked certificates. It concerns those that a CA issued: one that is registered by
/// its thumbprint is taken away in the registry.
struct Revocation {
    const pki::CrlSet* crls = nullptr;              ///< null: nothing
    std::optional<std::chrono::seconds> max_age{};  ///< pki::VerifyInput::crl_max_age
};

/// What the decision needs to know about our side.
struct Context {
    std::span<const std::string> hosts;            ///< names that may stand in a token's resource
    const pki::TrustBundle* device_cas = nullptr;  ///< verified CAs, for certificateAuthority
    const PolicyKeys* policy = nullptr;            ///< the one that the token names, where it exists
    const OnBehalf* on_behalf = nullptr;           ///< where an auth-chain was given
    base::Instant now;
    Revocation revocation{};
};

struct Decision {
    pki::Verdict verdict;
    /// When what was presented ends by itself: the token's `se` or the certificate's notAfter.
    std::optional<base::Instant> valid_until;
    /// For connection metadata: {"scope":"device","type":"sas","issuer":"iothub"} (hub.md 3.1).
    std::string method;
};

/// Decides whether what the peer presented proves the identity that it claims. One rule at hub and gateway
/// (interfaces.md 4): the registered type decides what is looked at; thumbprint type looks at thumbprint and
/// dates and at nothing else; CA type at path, dates, CN and clientAuth where an EKU is present; a device's
/// key does not open its modules; tokens have five minutes of skew. An edge-enabled device of CA type is
/// refused with that as the reason. record null: not registered. Pure; secrets are compared in constant time,
/// and none enters a step.
Decision authenticate(const Presented& presented, const Record* record, const Context& context);

}  // namespace trust
