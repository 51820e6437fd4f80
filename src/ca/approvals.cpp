// SPDX-License-Identifier: Apache-2.0
#include "ca/approvals.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/encoding.hpp"
#include "base/result.hpp"

namespace ca {
namespace {

constexpr std::chrono::days pending_life{7};
constexpr std::chrono::hours denial_life{24};
constexpr int most_of_a_caller = 16;

constexpr std::array<store::Migration, 1> approval_schema{{{1, "requests that wait for an operator", R"(
CREATE TABLE pending (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    caller TEXT NOT NULL, label TEXT NOT NULL, profile TEXT NOT NULL,
    subject TEXT NOT NULL, names TEXT NOT NULL, spki BLOB NOT NULL,
    state TEXT NOT NULL, at INTEGER NOT NULL, decided_by TEXT NOT NULL DEFAULT '',
    UNIQUE (caller, label, subject, names, spki)
) STRICT;
CREATE TABLE permits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    caller TEXT NOT NULL, label TEXT NOT NULL, subject TEXT NOT NULL,
    count INTEGER NOT NULL, end INTEGER NOT NULL
) STRICT;
)"}}};

std::int64_t seconds_of(base::Instant when) {
    return when.time_since_epoch().count();
}

std::string names_text(std::vector<std::string> names) {
    std::ranges::sort(names);
    return fmt::format("{}", fmt::join(names, "\n"));
}

std::vector<std::string> names_from(const std::string& text) {
    std::vector<std::string> names;
    if (text.empty()) return names;
    for (const auto part : base::split(text, '\n')) names.emplace_back(part);
    return names;
}

Approvals::Question question_of(const store::Statement& row) {
    Approvals::Question question{row.text(1), row.text(2), row.text(3), row.text(4), names_from(row.text(5)),
                                 {}};
    const auto spki = row.blob(6);
    if (spki.size() == question.spki.size()) std::ranges::copy(spki, question.spki.begin());
    return question;
}

}  // namespace

base::Result<std::unique_ptr<Approvals>> Approvals::open(const std::filesystem::path& file) {
    SP_TRY(return, auto database,
                 store::Database::open(file, store::Database::Access::read_write, approval_schema));
    return std::unique_ptr<Approvals>(new Approvals(std::move(database)));
}

base::Status Approvals::clean(base::Instant now) {
    auto old = database_->statement(
        "DELETE FROM pending WHERE (state <> 'denied' AND at < ?) OR (state = 'denied' AND at < ?)");
    old.bind(1, seconds_of(now - pending_life)).bind(2, seconds_of(now - denial_life));
    SP_TRY(return, [[maybe_unused]] const auto dropped, old.run());
    auto permits = database_->statement("DELETE FROM permits WHERE end < ? OR count < 1");
    permits.bind(1, seconds_of(now));
    SP_TRY(return, [[maybe_unused]] const auto ended, permits.run());
    return {};
}

base::Result<bool> Approvals::use_permit(const Question& question, base::Instant now) {
    auto use = database_->statement(
        "UPDATE permits SET count = count - 1 WHERE id = (SELECT id FROM permits WHERE caller = ? AND label "
        "= ? "
        "AND subject = ? AND count > 0 AND end >= ? ORDER BY id LIMIT 1)");
    use.bind(1, question.caller).bind(2, question.label).bind(3, question.subject).bind(4, seconds_of(now));
    SP_TRY(return, const auto used, use.run());
    return used > 0;
}

base::Status Approvals::write_down(const Question& question, const std::string& state, base::Instant now) {
    auto add = database_->statement(
        "INSERT INTO pending (caller, label, profile, subject, names, spki, state, at) VALUES (?, ?, ?, ?, "
        "?, ?, ?, "
        "?) ON CONFLICT DO UPDATE SET state = excluded.state, at = excluded.at");
    add.bind(1, question.caller)
        .bind(2, question.label)
        .bind(3, question.profile)
        .bind(4, question.subject)
        .bind(5, names_text(question.names))
        .bind(6, std::span<const std::byte>(question.spki))
        .bind(7, state)
        .bind(8, seconds_of(now));
    SP_TRY(return, [[maybe_unused]] const auto added, add.run());
    auto trim = database_->statement(
        "DELETE FROM pending WHERE caller = ?1 AND state = 'pending' AND id NOT IN (SELECT id FROM pending "
        "WHERE "
        "caller = ?1 AND state = 'pending' ORDER BY id DESC LIMIT ?2)");
    trim.bind(1, question.caller).bind(2, std::int64_t{most_of_a_caller});
    SP_TRY(return, [[maybe_unused]] const auto trimmed, trim.run());
    return {};
}

base::Result<Approvals::Answer> Approvals::ask(const Question& question, base::Instant now) {
    const std::lock_guard lock(mutex_);
    auto answer = Answer::waiting;
    const auto done = database_->transaction([&]() -> base::Status {
        if (auto fine = clean(now); !fine) return fine;
        std::int64_t id = 0;
        std::string state;
        {
            auto find = database_->statement(
                "SELECT id, state FROM pending WHERE caller = ? AND label = ? AND subject = ? AND names = ? "
                "AND "
                "spki = ?");
            find.bind(1, question.caller)
                .bind(2, question.label)
                .bind(3, question.subject)
                .bind(4, names_text(question.names))
                .bind(5, std::span<const std::byte>(question.spki));
            SP_TRY(return, const auto found, find.step());
            if (found) {
                id = find.integer(0);
                state = find.text(1);
            }
        }
        if (state == "denied") {
            answer = Answer::denied;
            return {};
        }
        SP_TRY(return, const auto permitted,
                     state == "approved" ? base::Result<bool>(true) : use_permit(question, now));
        if (permitted) {
            answer = Answer::granted;
            auto drop = database_->statement("DELETE FROM pending WHERE id = ?");
            drop.bind(1, id);
            SP_TRY(return, [[maybe_unused]] const auto dropped, drop.run());
            return {};
        }
        if (state == "pending") return {};
        answer = Answer::asked;
        return write_down(question, "pending", now);
    });
    if (!done) return std::unexpected(done.error());
    return answer;
}

base::Status Approvals::give_back(const Question& question, base::Instant now) {
    const std::lock_guard lock(mutex_);
    return database_->transaction([&] { return write_down(question, "approved", now); });
}

base::Result<std::vector<Approvals::Pending>> Approvals::pending(base::Instant now) {
    const std::lock_guard lock(mutex_);
    if (auto fine = clean(now); !fine) return std::unexpected(fine.error());
    auto rows = database_->statement(
        "SELECT max(id), caller, label, profile, subject, names, spki, count(*), min(at) FROM pending WHERE "
        "state = "
        "'pending' GROUP BY caller, label, subject, names ORDER BY 1");
    std::vector<Pending> all;
    for (;;) {
        SP_TRY(return, const auto more, rows.step());
        if (!more) return all;
        all.push_back({rows.integer(0), question_of(rows), static_cast<int>(rows.integer(7)),
                       base::Instant{std::chrono::seconds{rows.integer(8)}}});
    }
}

base::Result<Approvals::Question> Approvals::decide(std::int64_t id, bool approve, const std::string& by,
                                                    base::Instant now) {
    const std::lock_guard lock(mutex_);
    Question question;
    const auto done = database_->transaction([&]() -> base::Status {
        if (auto fine = clean(now); !fine) return fine;
        {
            auto find = database_->statement(
                "SELECT id, caller, label, profile, subject, names, spki FROM pending WHERE id = ? AND state "
                "= "
                "'pending'");
            find.bind(1, id);
            SP_TRY(return, const auto found, find.step());
            if (!found)
                return base::fail(base::Code::not_found, fmt::format("request {}", id), "does not wait",
                                  "sallyport ca approve --list shows what does");
            question = question_of(find);
        }
        auto set = database_->statement("UPDATE pending SET state = ?, decided_by = ?, at = ? WHERE id = ?");
        set.bind(1, approve ? "approved" : "denied").bind(2, by).bind(3, seconds_of(now)).bind(4, id);
        SP_TRY(return, [[maybe_unused]] const auto changed, set.run());
        return {};
    });
    if (!done) return std::unexpected(done.error());
    return question;
}

base::Status Approvals::permit(const Permit& permit) {
    const std::lock_guard lock(mutex_);
    auto add = database_->statement(
        "INSERT INTO permits (caller, label, subject, count, end) VALUES (?, ?, ?, ?, ?)");
    add.bind(1, permit.caller)
        .bind(2, permit.label)
        .bind(3, permit.subject)
        .bind(4, std::int64_t{permit.count})
        .bind(5, seconds_of(permit.end));
    SP_TRY(return, [[maybe_unused]] const auto added, add.run());
    return {};
}

}  // namespace ca
