// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/error.hpp"
#include "store/database.hpp"

namespace ca {

/// Connections that read the CA's database, as many as threads ask at a time.
class Readers {
  public:
    explicit Readers(std::filesystem::path file) : file_(std::move(file)) {}
    /// Runs `work` on a connection of its own; a failure of the database is logged and answered.
    base::Status read(const std::function<base::Status(store::Database&)>& work) const;

  private:
    std::filesystem::path file_;
    mutable std::mutex mutex_;
    mutable std::vector<std::unique_ptr<store::Database>> idle_;
};

}  // namespace ca
