// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "ca/audit_files.hpp"
#include "ca/audit_line.hpp"
#include "ca/log_state.hpp"
#include "pki/key.hpp"
#include "store/database.hpp"

namespace ca {

/// The one thread that writes the CA's books. What waits together is committed together: one transaction with
/// the inventory's rows and the text of the audit entries, then that text appended to the log and synced,
/// then everybody is told. Where the process ends in between, `open` appends what the database has and the
/// log lacks: the two never differ for longer than that.
class BookWriter {
  public:
    /// What one piece of work sees and leaves behind.
    struct Turn {
        store::Database& database;
        std::uint64_t seq;               ///< of the first entry that it adds
        std::vector<AuditLine> lines{};  ///< without number, time and hashes
        base::Status refused{};          ///< its own failure, found before it wrote anything
    };
    struct Job {
        /// Its failure is one of the database, and fails everything of the group.
        std::function<base::Status(Turn&)> work;
        std::function<void(base::Status)> done{};  ///< on the writing thread
    };
    struct Settings {
        std::filesystem::path directory{};  ///< of the log's files
        store::FileCalls calls{};
        std::uint64_t largest_file = 64ULL * 1024 * 1024;
        std::uint64_t entries_a_head = 1000;
        std::chrono::seconds time_a_head{60};
    };

    /// Takes the connection over; repairs what a crash has left. `malformed` where the log is not what the
    /// database knows: its end is missing or changed since the last signed head.
    static base::Result<std::unique_ptr<BookWriter>> open(std::unique_ptr<store::Database> database,
                                                          pki::PrivateKey audit_key, const base::Clock& clock,
                                                          Settings settings);
    ~BookWriter();  ///< does what was submitted, then signs a head

    void submit(Job job);
    /// Waits for it. Not from the writing thread.
    base::Status run(std::function<base::Status(Turn&)> work);
    /// Signs a head now, if there are entries that none covers, and answers its line.
    base::Result<std::string> head();

    bool is_empty() const;  ///< no entry yet
    std::uint64_t seq() const;
    /// Why nothing can be written any more, once that is so.
    base::Status usable() const;

  private:
    BookWriter(std::unique_ptr<store::Database> database, pki::PrivateKey audit_key, const base::Clock& clock,
               Settings settings);
    struct Draft;
    base::Status recover();
    void write_until_end();
    std::vector<Job> next_group();
    void commit(std::vector<Job>& group);
    base::Status do_work(std::vector<Job>& group, std::vector<base::Status>& results, Draft& draft);
    base::Status add_head(Draft& draft);
    base::Status flush();
    void tell(std::vector<Job>& group, std::vector<base::Status>& results, const base::Status& outcome);

    std::unique_ptr<store::Database> database_;
    pki::PrivateKey audit_key_;
    std::string key_id_;
    const base::Clock& clock_;
    Settings settings_;
    AuditFiles files_;
    LogState state_;                 ///< what is committed
    std::vector<Outbox> unwritten_;  ///< committed and not yet in the files
    std::int64_t flushed_ = 0;       ///< id of the newest outbox row that is in the files
    std::string head_line_;
    bool head_due_ = false;

    mutable std::mutex mutex_;  ///< of what follows
    std::condition_variable wake_;
    std::deque<Job> waiting_;
    bool ending_ = false;
    bool head_wanted_ = false;
    std::uint64_t seq_ = 0;
    base::Status broken_;
    std::thread thread_;
};

}  // namespace ca
