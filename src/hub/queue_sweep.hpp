// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hub/services.hpp"
#include "net/task.hpp"

namespace hub {

/// Lets time pass for the queue of devices: sweeps it every second while it holds anything. On the first
/// loop, until the hub stops. services: outlives the task.
net::Task<> sweep_queue(const Services& services);

}  // namespace hub
