// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "store/database.hpp"

namespace store {

/// The one writing thread of a database: writes that wait together are committed together. From any thread.
class Writer {
  public:
    /// Takes the connection over.
    explicit Writer(std::unique_ptr<Database> database);
    ~Writer();  ///< finishes what was submitted
    /// Runs `work` in a savepoint of the next group; its failure undoes it alone. `done` is called on the
    /// writer thread after the group is on disk (or has failed as a whole).
    void submit(std::function<base::Status(Database&)> work, std::function<void(base::Status)> done);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace store
