// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/clock.hpp"
#include "pki/verdict.hpp"
#include "trust/identity.hpp"

namespace hub {

/// Why the hub has refused somebody: what is behind a tracking id. No member ever holds a key, a token or
/// what stands behind a '?'.
struct Explanation {
    std::string tracking;  ///< of make_tracking_id
    base::Instant when{};
    std::string protocol;      ///< "https" or "mqtt"
    std::string address;       ///< where it came from
    trust::Identity identity;  ///< who it claimed to be; empty where it claimed no identity
    std::string caller;        ///< who it proved to be; empty: nobody
    std::string request;       ///< "GET /devices/TempSensor", "CONNECT"
    std::string answer;        ///< "401 IotHubUnauthorized", "CONNACK 5", "closed"
    std::string reason;        ///< in words
    pki::Verdict verdict;      ///< how it came to that; empty where no credential was judged
};

/// {"trackingId", "timestampUtc", "protocol", "address", "deviceId", "moduleId", "caller", "request",
/// "answer", "reason", "steps": [{"check", "link", "outcome", "expected", "found"}], "fix"}. Long texts are
/// cut.
std::string to_json(const Explanation& explanation);

}  // namespace hub
