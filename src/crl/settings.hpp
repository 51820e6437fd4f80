// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"

namespace crl {

/// A million revoked certificates are 49 MB.
inline constexpr std::size_t largest_crl = 64 * 1024 * 1024;

/// `crl_urls` and `crl_max_age` of hub.toml, and of the gateway's file.
struct Settings {
    std::vector<std::string> urls;                ///< at most 16, each one that parse_url takes
    std::optional<std::chrono::seconds> max_age;  ///< none: an old CRL stays in force
};

/// Takes both keys; what is wrong with them is recorded for the table's `finish`.
Settings read_settings(base::ConfigTable& table);

/// Where the CRL of a URL is kept in the directory of a role.
std::filesystem::path kept_file(const std::filesystem::path& directory, std::string_view url);
inline std::filesystem::path directory_under(const std::filesystem::path& data) {
    return data / "crl";
}

}  // namespace crl
