// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "edge/symmetric_key.hpp"

namespace edge {

/// What a handle stands for (edge-runtime.md 1.3). A handle is a bearer capability: whoever has it may use
/// the key.
struct KeyReference {
    enum class Kind { symmetric, pair, derived } kind = Kind::symmetric;
    std::string id;    ///< of the base key where derived
    base::Bytes data;  ///< derived: the derivation data
};

/// "sr=<base64 JSON>&sig=<base64 HMAC>", new each time.
base::Result<std::string> make_handle(const KeyReference& reference, const SymmetricKey& validation_key);
/// Fails with `parameter "handle" has an invalid value` for one that is forged or damaged.
base::Result<KeyReference> open_handle(std::string_view handle, const SymmetricKey& validation_key);

}  // namespace edge
