// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "azure/documents.hpp"
#include "azure/json_reader.hpp"
#include "azure/twin.hpp"

/// The wishes of `parse_device`, `parse_module` and `parse_twin`, out of one object of a larger document.
namespace azure {

/// Without looking at the ids, which other documents call otherwise.
base::Result<DeviceWish> device_wish_of(const JsonObject& from);
base::Result<ModuleWish> module_wish_of(const JsonObject& from);
/// Its tags and desired properties, as `parse_twin` reads them.
base::Result<TwinWish> twin_wish_of(const JsonObject& from);

}  // namespace azure
