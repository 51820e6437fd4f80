// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace ca {

/// argon2id with 19 MiB, two passes, one lane, in its own text form "$argon2id$v=19$...". Takes tens of
/// milliseconds.
base::Result<std::string> hash_password(std::string_view password);
/// Whether the password fits the hash; false for a hash that does not parse.
bool password_fits(const std::string& hash, std::string_view password);

}  // namespace ca
