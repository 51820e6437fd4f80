// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace edge {

/// Writes files, whole and synced as ever, after the call that made them was answered: for records that
/// nobody needs after a power cut, and whose sync would take a hundred times as long as the rest of the call.
/// Only the last text of a path is written. Who reads in between asks `pending`. From any thread.
class LateWriter {
  public:
    LateWriter() = default;
    LateWriter(const LateWriter&) = delete;
    LateWriter& operator=(const LateWriter&) = delete;
    ~LateWriter();  ///< writes what is left

    void write(const std::filesystem::path& file, std::string text);
    std::optional<std::string> pending(const std::filesystem::path& file) const;
    /// What was to be written there is not any more; returns when nobody writes there.
    void forget(const std::filesystem::path& file);

  private:
    void run();

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::filesystem::path, std::string> waiting_;
    std::optional<std::pair<std::filesystem::path, std::string>> writing_;
    bool stopping_ = false;
    std::thread thread_;  ///< started by the first write
};

}  // namespace edge
