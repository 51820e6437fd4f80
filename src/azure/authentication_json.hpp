// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "azure/json_reader.hpp"
#include "trust/record.hpp"

namespace azure {

/// What a document's member `authentication` may hold.
enum class Strictness {
    wish,   ///< of a PUT: keys are base64 of 16 to 64 octets, selfSigned has a thumbprint
    stored  ///< of an answer: keys stay as they are
};

/// Reads `authentication` of a device or module; nullopt where it is absent. A missing `type` is selfSigned
/// where a thumbprint stands, else sas.
base::Result<std::optional<trust::Authentication>> read_authentication(const JsonObject& parent,
                                                                       Strictness strictness);

}  // namespace azure
