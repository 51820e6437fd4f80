// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "base/error.hpp"

namespace edge {

/// Replaces a certificate (0644) and its key (0600) together: both are written beside and synced before the
/// first is renamed, so that a full disk leaves the old pair whole.
base::Status write_pair(const std::filesystem::path& certificate, std::string_view chain,
                        const std::filesystem::path& key, std::string_view key_pem);

/// Renames what a power cut left beside: with both halves there, or the certificate's alone, the pair was
/// decided; a key alone is thrown away.
base::Status finish_pair(const std::filesystem::path& certificate, const std::filesystem::path& key);

}  // namespace edge
