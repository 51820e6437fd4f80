// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace support {

struct Finished {
    int exit_code = -1;  ///< 128 + number where a signal ended it, 127 where it could not be started
    bool timed_out = false;
    std::string out;
    std::string err;
};

struct RunOptions {
    std::string input{};                               ///< for standard input, which is then closed
    std::map<std::string, std::string> environment{};  ///< added to ours
    std::string directory{};                           ///< working directory; empty: ours
    std::chrono::milliseconds limit{30'000};           ///< killed after that
    unsigned umask = 022;
};

/// Runs a program (found by PATH, no shell) to its end and captures what it writes.
Finished run(const std::vector<std::string>& arguments, const RunOptions& options = {});

/// A program that keeps running beside the test, killed by the destructor. Standard output and error are
/// collected together, so that a test can await a line.
class Background {
  public:
    explicit Background(const std::vector<std::string>& arguments, const RunOptions& options = {});
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;
    ~Background();

    pid_t pid() const { return pid_; }
    /// Waits until the output contains `text`; false where the program ended or the time is up before.
    bool wait_for(const std::string& text, std::chrono::milliseconds limit = std::chrono::seconds{30});
    void send_signal(int number) const;
    /// Waits for the end; the exit code as in Finished, -1 where the time is up.
    int wait(std::chrono::milliseconds limit = std::chrono::seconds{30});
    const std::string& output() const { return output_; }

  private:
    bool read_some(std::chrono::steady_clock::time_point until);
    pid_t pid_ = -1;
    int pipe_ = -1;
    int exit_code_ = -1;
    std::string output_;
};

}  // namespace support
