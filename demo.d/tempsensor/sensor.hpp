// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/task.hpp"
#include "tempsensor/options.hpp"

/// Connects to the gateway, tells each trust decision, sends the readings and waits for each acknowledgement.
/// The exit code: 0 all acknowledged, 1 refused (by us or by the gateway), 3 could not find out.
net::Task<int> run_sensor(SensorOptions options);
