// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "azure/documents.hpp"
#include "azure/json_reader.hpp"

/// The wishes of `parse_device` and `parse_module`, out of one object of a larger document.
namespace azure {

/// Without looking at the ids, which other documents call otherwise.
base::Result<DeviceWish> device_wish_of(const JsonObject& from);
base::Result<ModuleWish> module_wish_of(const JsonObject& from);

}  // namespace azure
