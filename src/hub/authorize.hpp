// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>

#include "hub/call.hpp"

namespace hub {

/// What a route asks of its caller: the column of the route table.
enum class Needs {
    registry_read,  ///< a policy token with RegistryRead
    registry_write,
    service_connect,
    own_modules_read,  ///< RegistryRead or DeviceConnect, or the device {d} itself (hub.md 9.1)
    own_modules_write,
    device,    ///< the identity {d}[/{m}] itself, or DeviceConnect
    edge_hub,  ///< $edgeHub of {d} itself, and nobody else (hub.md 9.4)
    owner      ///< a token of iothubowner, as Bearer too (interfaces.md 5)
};

/// Decides who calls and whether it may. Everything is refused that is not proven: no credential, a bad one,
/// or one without the right gives 401 and a log line with the steps.
std::expected<Caller, Refusal> authorize(const Call& call, Needs needs);

}  // namespace hub
