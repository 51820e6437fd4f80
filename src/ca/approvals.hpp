// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "ca/inventory.hpp"
#include "store/database.hpp"

namespace ca {

/// Where they are kept in a CA's data directory.
inline std::filesystem::path approvals_file(const std::filesystem::path& data) {
    return data / "approvals.sqlite3";
}

/// Issuances that wait for an operator, kept across restarts (est-and-pki.md 1.8). From any thread.
class Approvals {
  public:
    static base::Result<std::unique_ptr<Approvals>> open(const std::filesystem::path& file);

    /// What a repeated request is known by.
    struct Question {
        std::string caller;  ///< Actor::text()
        std::string label, profile;
        std::string subject;  ///< RFC 2253
        std::vector<std::string> names;
        Sha256 spki{};
    };
    enum class Answer {
        granted,  ///< and used up by this answer
        asked,    ///< written down just now
        waiting,
        denied
    };
    base::Result<Answer> ask(const Question& question, base::Instant now);
    /// For an answer `granted` that came to nothing.
    base::Status give_back(const Question& question, base::Instant now);

    /// One line of what waits: the same names under several keys are one, with a count.
    struct Pending {
        std::int64_t id = 0;  ///< of the newest
        Question question;
        int count = 1;
        base::Instant asked_at;
    };
    base::Result<std::vector<Pending>> pending(base::Instant now);
    /// not_found: nothing of that number waits.
    base::Result<Question> decide(std::int64_t id, bool approve, const std::string& by, base::Instant now);
    /// The next `count` issuances of that subject to that caller, under any key, until `end`: for clients
    /// that make a new key for each try.
    struct Permit {
        std::string caller, label, subject;
        int count = 1;
        base::Instant end;
    };
    base::Status permit(const Permit& permit);

  private:
    explicit Approvals(std::unique_ptr<store::Database> database) : database_(std::move(database)) {}
    base::Result<bool> use_permit(const Question& question, base::Instant now);
    base::Status write_down(const Question& question, const std::string& state, base::Instant now);
    base::Status clean(base::Instant now);

    std::mutex mutex_;
    std::unique_ptr<store::Database> database_;
};

}  // namespace ca
