// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "trust/identity.hpp"

namespace azure {

/// Who a client says it is, from the MQTT user name (hub.md 2.2). Nothing in it is proven.
struct Claim {
    trust::Identity identity;
    std::string host;         ///< as it stands, a port included
    std::string api_version;  ///< empty where missing: accepted as the oldest behaviour
    std::string client_type;
    std::string model_id;
    std::string auth_chain;  ///< "TempSensor;EdgeGateway"; empty for a direct connection
};

/// Reads the user name. Errors are `malformed` with the segment that is wrong: CONNACK 4.
base::Result<Claim> parse_username(std::string_view text);
/// The user name of a client of ours:
/// host/device[/module]/?api-version=2021-04-12&DeviceClientType=...[&auth-chain=].
std::string make_username(const Claim& claim);

/// The host part of "host[:port]", lower case.
std::string host_without_port(std::string_view host);

}  // namespace azure
