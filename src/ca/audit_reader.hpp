// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "ca/log_state.hpp"
#include "store/database.hpp"

namespace ca {

/// The audit log for those who only look, at one moment, also while `ca run` writes it: what the files hold
/// and what the database says that they should.
class AuditReader {
  public:
    /// not_found where there are no books yet.
    static base::Result<AuditReader> open(const std::filesystem::path& data);

    const LogState& state() const { return state_; }
    /// Of the same moment as the state.
    store::Database& database() const { return *database_; }

    /// Every entry's line in order, without its end, until `take` says false. Text that is on its way to the
    /// file counts as there.
    base::Status each_entry(const std::function<bool(std::string_view line)>& take) const;
    base::Status each_head(const std::function<bool(std::string_view line)>& take) const;
    /// What is wrong with a file's length: it goes on behind, or ends before what the database knows.
    std::optional<std::string> wrong_length() const;

  private:
    AuditReader(std::filesystem::path directory, std::unique_ptr<store::Database> database)
        : directory_(std::move(directory)), database_(std::move(database)) {}
    base::Result<std::string> text_of(std::uint64_t file) const;

    std::filesystem::path directory_;
    std::unique_ptr<store::Database> database_;
    LogState state_;
    std::vector<Outbox> outbox_;
    std::map<std::uint64_t, std::uint64_t> sizes_;  ///< of files, before the database was read
};

}  // namespace ca
