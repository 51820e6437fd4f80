// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "est/client_retry.hpp"

namespace edge {

/// A certificate that was asked for at an EST server and did not come: kept as a file, so that a request that
/// waits for an operator is the same after a restart, and that `sallyport check` can tell. Not a secret.
struct EstRecord {
    std::string id;  ///< of the certificate
    std::string url;
    est::Failure::Kind kind = est::Failure::Kind::unreachable;
    base::Error why;
    int failures = 0;       ///< in a row
    base::Instant last{};   ///< when it was asked for last
    base::Instant next{};   ///< when it will be asked for again, at the earliest
    std::string request{};  ///< PEM, where the server has it and has not decided
};

/// Where the certificates service keeps them.
std::filesystem::path est_record_directory(const std::filesystem::path& home);

base::Status write_est_record(const std::filesystem::path& directory, const EstRecord& record);
/// Done also where there is none.
base::Status remove_est_record(const std::filesystem::path& directory, std::string_view id);
/// All that can be read; what cannot is left out.
std::vector<EstRecord> read_est_records(const std::filesystem::path& directory);

}  // namespace edge
