// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <string>

#include "base/error.hpp"

namespace store {

/// The failure of an SQLite call, from its extended result code and text. FULL becomes disk_full, BUSY and
/// LOCKED unavailable, a broken UNIQUE or PRIMARY KEY already_exists, any other broken constraint
/// invalid_argument, CORRUPT and NOTADB io with the remedy. file: of the database, for the error.
std::unexpected<base::Error> sqlite_error(const std::string& file, int extended_code, std::string_view text);

}  // namespace store
