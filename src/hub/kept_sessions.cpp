// SPDX-License-Identifier: Apache-2.0
#include "hub/kept_sessions.hpp"

#include <array>
#include <utility>

#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "store/row_reading.hpp"

namespace hub {

namespace {

constexpr std::array session_schema{store::Migration{1, "sessions", R"(
CREATE TABLE sessions(
    device TEXT NOT NULL,
    module TEXT NOT NULL,
    generation TEXT NOT NULL,
    filters TEXT NOT NULL,
    PRIMARY KEY(device, module)
) STRICT, WITHOUT ROWID;
)"}};

/// "1 filter" a line, each filter percent-encoded.
std::string to_text(const std::vector<mqtt::Subscription>& subscriptions) {
    std::string text;
    for (const auto& [filter, qos] : subscriptions) {
        text += qos == mqtt::Qos::at_most_once ? "0 " : "1 ";
        text += base::percent_encode(filter) + "\n";
    }
    return text;
}

Subscriptions from_text(const trust::Identity& identity, std::string_view text) {
    Subscriptions subscriptions;
    for (const auto line : base::split(text, '\n')) {
        if (line.size() < 3) continue;
        // One that is no longer allowed is left out.
        if (const auto filter = base::percent_decode(line.substr(2)))
            subscriptions.add(identity, *filter,
                              line.front() == '0' ? mqtt::Qos::at_most_once : mqtt::Qos::at_least_once);
    }
    return subscriptions;
}

void log_failure(const base::Status& status, const std::string& device) {
    if (!status) base::log::error(base::events::store_failed, status.error(), {{"device", device}});
}

}  // namespace

KeptSessions::~KeptSessions() = default;

base::Result<std::unique_ptr<KeptSessions>> KeptSessions::open(const std::filesystem::path& file) {
    using Access = store::Database::Access;
    std::unique_ptr<KeptSessions> sessions(new KeptSessions);
    SP_TRY(return, auto database, store::Database::open(file, Access::read_write, session_schema));
    SP_TRY(return, sessions->reader_, store::Database::open(file, Access::read_only, session_schema));
    sessions->writer_ = std::make_unique<store::Writer>(std::move(database));
    return sessions;
}

base::Result<std::optional<KeptSessions::Kept>> KeptSessions::read(const trust::Identity& identity) const {
    const std::lock_guard lock(mutex_);
    if (const auto found = unwritten_.find(identity); found != unwritten_.end()) return found->second;
    auto row = reader_->statement("SELECT generation, filters FROM sessions WHERE device=? AND module=?");
    SP_TRY(return, const bool there, row.bind(1, identity.device).bind(2, identity.module).step());
    if (!there) return std::nullopt;
    return Kept{row.text(0), row.text(1), 0};
}

base::Result<std::optional<Subscriptions>> KeptSessions::find(const trust::Identity& identity,
                                                              const std::string& generation) const {
    SP_TRY(return, const auto kept, read(identity));
    if (!kept || kept->filters.empty() || kept->generation != generation) return std::nullopt;
    return from_text(identity, kept->filters);
}

void KeptSessions::keep(const trust::Identity& identity, const std::string& generation,
                        const Subscriptions& subscriptions) {
    write(identity, {generation, to_text(subscriptions.filters(identity)), 0});
}

void KeptSessions::forget(const trust::Identity& identity) {
    // Most clients that ask for a clean session have never had another.
    if (const auto kept = read(identity); kept && !*kept) return;
    write(identity, {});
}

void KeptSessions::write(const trust::Identity& identity, Kept kept) {
    {
        const std::lock_guard lock(mutex_);
        kept.number = ++last_number_;
        unwritten_[identity] = kept;
    }
    writer_->submit(
        [identity, kept](store::Database& database) -> base::Status {
            if (kept.filters.empty()) {
                auto row = database.statement("DELETE FROM sessions WHERE device=? AND module=?");
                row.bind(1, identity.device).bind(2, identity.module);
                return store::done(row.run());
            }
            auto row = database.statement(
                "INSERT INTO sessions(device, module, generation, filters) VALUES(?1, ?2, ?3, ?4) "
                "ON CONFLICT DO UPDATE SET generation=?3, filters=?4");
            row.bind(1, identity.device)
                .bind(2, identity.module)
                .bind(3, kept.generation)
                .bind(4, kept.filters);
            return store::done(row.run());
        },
        [this, identity, number = kept.number](const base::Status& status) {
            log_failure(status, identity.device);
            const std::lock_guard lock(mutex_);
            const auto found = unwritten_.find(identity);
            if (found != unwritten_.end() && found->second.number == number) unwritten_.erase(found);
        });
}

void KeptSessions::forget_device(const std::string& device) {
    writer_->submit(
        [device](store::Database& database) {
            auto rows = database.statement("DELETE FROM sessions WHERE device=?");
            rows.bind(1, device);
            return store::done(rows.run());
        },
        [device](const base::Status& status) { log_failure(status, device); });
}

}  // namespace hub
