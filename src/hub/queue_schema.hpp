// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "store/database.hpp"

namespace hub {

/// The file of DeviceQueue: messages for devices, and feedback for their senders.
std::span<const store::Migration> queue_migrations();

}  // namespace hub
