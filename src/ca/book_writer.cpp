// SPDX-License-Identifier: Apache-2.0
#include "ca/book_writer.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "ca/audit_head.hpp"
#include "ca/audit_tail.hpp"
#include "pki/digest.hpp"

namespace ca {
namespace {

constexpr std::size_t largest_commit = 512;
/// Two indexes are over random octets: with a million certificates an insert touches any page of them. 64 MiB
/// keeps them in memory.
constexpr std::string_view larger_cache = "PRAGMA cache_size=-65536";

base::Status same_failure(const base::Status& why) {
    return std::unexpected(
        base::Error{base::Code::unavailable, why.error().thing, why.error().reason, why.error().fix});
}

}  // namespace

/// The state as it will be once the group is committed, and the text that it adds.
struct BookWriter::Draft {
    LogState state;
    std::vector<Outbox> rows{};
    std::string head_line{};

    void add_text(std::uint64_t file, std::uint64_t at, std::string_view line) {
        if (rows.empty() || rows.back().file != file) rows.push_back({0, file, at, {}});
        rows.back().text += line;
        rows.back().text += '\n';
    }
    void add(AuditLine line, const std::string& time) {
        line.seq = state.seq + 1;
        line.time = time;
        line.prev = state.hash;
        const auto text = format(line);
        add_text(state.file, state.size, text);
        state.seq = line.seq;
        state.hash = line.hash;
        state.tree.append(line.hash);
        state.size += text.size() + 1;
        if (state.seq == 1) state.genesis = line.hash;
    }
};

BookWriter::BookWriter(std::unique_ptr<store::Database> database, pki::PrivateKey audit_key,
                       const base::Clock& clock, Settings settings)
    : database_(std::move(database)),
      audit_key_(std::move(audit_key)),
      key_id_(base::to_hex(pki::sha256(audit_key_.public_key().der()))),
      clock_(clock),
      settings_(std::move(settings)),
      files_(settings_.directory, settings_.calls) {
    (void)database_->statement(larger_cache).run();
}

base::Result<std::unique_ptr<BookWriter>> BookWriter::open(std::unique_ptr<store::Database> database,
                                                           pki::PrivateKey audit_key,
                                                           const base::Clock& clock, Settings settings) {
    if (auto made = base::make_private_directories(settings.directory); !made)
        return std::unexpected(made.error());
    std::unique_ptr<BookWriter> writer(
        new BookWriter(std::move(database), std::move(audit_key), clock, std::move(settings)));
    if (auto recovered = writer->recover(); !recovered) return std::unexpected(recovered.error());
    writer->thread_ = std::thread([raw = writer.get()] { raw->write_until_end(); });
    return writer;
}

base::Status BookWriter::recover() {
    SP_TRY(return, const auto known, load_log_state(*database_));
    if (known) {
        state_ = *known;
        SP_TRY(return, unwritten_, load_outbox(*database_));
        if (auto fine = check_before_repair(files_, state_, unwritten_); !fine) return fine;
        if (auto repaired = flush(); !repaired) return repaired;
        SP_TRY(return, head_line_, check_tail(files_, state_, audit_key_.public_key()));
    } else if (std::filesystem::exists(files_.path(1)) || std::filesystem::exists(files_.path(0))) {
        return base::fail(base::Code::malformed, "audit log " + settings_.directory.string(),
                          "is there, and the inventory knows nothing of it",
                          "put the inventory back that belongs to it");
    }
    seq_ = state_.seq;
    return {};
}

BookWriter::~BookWriter() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        head_wanted_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void BookWriter::submit(Job job) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(job));
    }
    wake_.notify_one();
}

base::Status BookWriter::run(std::function<base::Status(Turn&)> work) {
    std::promise<base::Status> promise;
    submit({std::move(work), [&](base::Status result) { promise.set_value(std::move(result)); }});
    return promise.get_future().get();
}

base::Result<std::string> BookWriter::head() {
    std::string line;
    std::promise<base::Status> promise;
    {
        const std::lock_guard lock(mutex_);
        head_wanted_ = true;
        waiting_.push_back({[](Turn&) { return base::Status{}; },
                            [&](base::Status result) {
                                line = head_line_;
                                promise.set_value(std::move(result));
                            }});
    }
    wake_.notify_one();
    if (auto done = promise.get_future().get(); !done) return std::unexpected(done.error());
    return line;
}

bool BookWriter::is_empty() const {
    return seq() == 0;
}

std::uint64_t BookWriter::seq() const {
    const std::lock_guard lock(mutex_);
    return seq_;
}

base::Status BookWriter::usable() const {
    const std::lock_guard lock(mutex_);
    return broken_;
}

std::vector<BookWriter::Job> BookWriter::next_group() {
    std::unique_lock lock(mutex_);
    const auto there = [this] { return ending_ || head_wanted_ || !waiting_.empty(); };
    if (state_.seq > state_.head_seq) {
        // Entries that no head covers do not stay so for longer than this.
        head_due_ = !wake_.wait_for(lock, settings_.time_a_head, there);
    } else {
        wake_.wait(lock, there);
        head_due_ = false;
    }
    head_due_ = head_due_ || std::exchange(head_wanted_, false);
    std::vector<Job> group;
    while (!waiting_.empty() && group.size() < largest_commit) {
        group.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return group;
}

void BookWriter::write_until_end() {
    while (true) {
        auto group = next_group();
        const bool last = [&] {
            const std::lock_guard lock(mutex_);
            return ending_ && waiting_.empty();
        }();
        commit(group);
        if (last) break;
    }
    // What an orderly end leaves in the files, the database need not keep: whatever is missing there was
    // taken.
    if (unwritten_.empty() && usable())
        (void)database_->transaction([&] { return drop_outbox(*database_, flushed_); });
}

base::Status BookWriter::add_head(Draft& draft) {
    auto& state = draft.state;
    SignedHead head{.log = base::to_hex(state.genesis),
                    .seq = state.seq,
                    .hash = state.hash,
                    .root = state.tree.root(),
                    .time = base::format_rfc3339_ms(clock_.now_ms()),
                    .key = key_id_,
                    .prev = state.head_line};
    SP_TRY(return, draft.head_line, sign(head, audit_key_));
    draft.add_text(AuditFiles::heads, state.heads_size, draft.head_line);
    state.head_seq = state.seq;
    state.head_hash = state.hash;
    state.head_line = pki::sha256(base::as_bytes(draft.head_line));
    state.head_at = state.size;
    state.heads_last = state.heads_size;
    state.heads_size += draft.head_line.size() + 1;
    return {};
}

base::Status BookWriter::do_work(std::vector<Job>& group, std::vector<base::Status>& results, Draft& draft) {
    const auto time = base::format_rfc3339_ms(clock_.now_ms());
    bool rotated = false;
    if (draft.state.size >= settings_.largest_file) {
        ++draft.state.file;
        draft.state.size = draft.state.head_at = 0;
        draft.add({.kind = "rotate", .detail = AuditFiles::path({}, draft.state.file - 1).string()}, time);
        rotated = true;
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
        Turn turn{*database_, draft.state.seq + 1};
        if (auto done = group[i].work(turn); !done) return done;
        results[i] = std::move(turn.refused);
        if (!results[i]) continue;
        for (auto& line : turn.lines) draft.add(std::move(line), time);
    }
    const bool wanted =
        rotated || head_due_ || draft.state.seq >= draft.state.head_seq + settings_.entries_a_head;
    if (wanted && draft.state.seq > draft.state.head_seq)
        if (auto added = add_head(draft); !added) return added;
    if (draft.rows.empty()) return {};
    if (auto dropped = drop_outbox(*database_, flushed_); !dropped) return dropped;
    for (auto& row : draft.rows)
        if (auto added = add_outbox(*database_, row); !added) return added;
    return save_log_state(*database_, draft.state);
}

base::Status BookWriter::flush() {
    if (unwritten_.empty()) return {};
    for (const auto& row : unwritten_)
        if (auto written = files_.write(row.file, row.at, row.text); !written) return written;
    if (auto synced = files_.sync(); !synced) {
        // What a failed sync leaves in the kernel's hands cannot be trusted: only a new start reads it again.
        const std::lock_guard lock(mutex_);
        broken_ = same_failure(synced);
        return synced;
    }
    flushed_ = unwritten_.back().id;
    unwritten_.clear();
    return {};
}

void BookWriter::commit(std::vector<Job>& group) {
    std::vector<base::Status> results(group.size());
    if (auto fine = usable(); !fine) return tell(group, results, fine);
    // Left over from a disk that was full.
    if (auto flushed = flush(); !flushed) return tell(group, results, same_failure(flushed));
    Draft draft{state_};
    const auto committed = database_->transaction([&] { return do_work(group, results, draft); });
    if (!committed) {
        base::log::error(base::events::store_failed, committed.error());
        return tell(group, results, committed);
    }
    state_ = std::move(draft.state);
    if (!draft.head_line.empty()) head_line_ = std::move(draft.head_line);
    unwritten_ = std::move(draft.rows);
    const auto flushed = flush();
    if (!flushed) base::log::error(base::events::store_failed, flushed.error());
    {
        const std::lock_guard lock(mutex_);
        seq_ = state_.seq;
    }
    tell(group, results, flushed ? flushed : same_failure(flushed));
}

void BookWriter::tell(std::vector<Job>& group, std::vector<base::Status>& results,
                      const base::Status& outcome) {
    for (std::size_t i = 0; i < group.size(); ++i)
        if (group[i].done) group[i].done(outcome ? std::move(results[i]) : outcome);
}

}  // namespace ca
