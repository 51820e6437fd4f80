// SPDX-License-Identifier: Apache-2.0
#include "hub/consumers.hpp"

#include <array>
#include <chrono>
#include <utility>

#include "base/result.hpp"
#include "store/row_reading.hpp"

namespace hub {

namespace {

constexpr std::array consumer_schema{store::Migration{
    1, "consumers of the message log",
    "CREATE TABLE consumers(name TEXT PRIMARY KEY, next INTEGER NOT NULL, updated INTEGER NOT "
    "NULL) STRICT, WITHOUT ROWID"}};

constexpr std::size_t longest_group_name = 128;

base::Status write(store::Database& database, const Consumers::Consumer& consumer) {
    {
        auto others = database.statement("SELECT count(*) FROM consumers WHERE name <> ?");
        others.bind(1, consumer.name);
        SP_TRY(return, const bool there, others.step());
        if (there && others.integer(0) >= static_cast<std::int64_t>(Consumers::most)) {
            return base::fail(
                base::Code::too_large, "consumer " + consumer.name,
                "would be one more than the " + std::to_string(Consumers::most) + " that a hub keeps",
                "delete one that is not used any more");
        }
    }
    auto row = database.statement(
        "INSERT INTO consumers(name, next, updated) VALUES(?1, ?2, ?3)"
        " ON CONFLICT(name) DO UPDATE SET next = ?2, updated = ?3");
    row.bind(1, consumer.name).bind(2, static_cast<std::int64_t>(consumer.offset));
    row.bind(3, store::seconds(consumer.updated));
    return store::done(row.run());
}

base::Status erase(store::Database& database, const std::string& name) {
    auto row = database.statement("DELETE FROM consumers WHERE name = ?");
    SP_TRY(return, const int gone, row.bind(1, name).run());
    if (gone == 0) return base::fail(base::Code::not_found, "consumer " + name, "is not known");
    return {};
}

}  // namespace

base::Status check_consumer_name(std::string_view name) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    const auto rest = name.starts_with('$') ? name.substr(1) : name;
    if (!rest.empty() && name.size() <= longest_group_name &&
        rest.find_first_not_of(allowed) == std::string_view::npos)
        return {};
    return base::fail(base::Code::invalid_argument, "consumer name",
                      "is not 1 to 128 letters, digits, '-', '.' and '_'");
}

base::Result<std::unique_ptr<Consumers>> Consumers::open(const std::filesystem::path& file) {
    SP_TRY(return, auto database,
                 store::Database::open(file, store::Database::Access::read_write, consumer_schema));
    std::unique_ptr<Consumers> consumers(new Consumers());
    {
        auto rows = database->statement("SELECT name, next, updated FROM consumers");
        for (;;) {
            SP_TRY(return, const bool there, rows.step());
            if (!there) break;
            Consumer one{rows.text(0), static_cast<std::uint64_t>(rows.integer(1)),
                         base::Instant(std::chrono::seconds(rows.integer(2)))};
            consumers->known_.emplace(one.name, std::move(one));
        }
    }
    consumers->writer_ = std::make_unique<store::Writer>(std::move(database));
    return consumers;
}

std::optional<std::uint64_t> Consumers::offset(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(name);
    if (found == known_.end()) return std::nullopt;
    return found->second.offset;
}

std::vector<Consumers::Consumer> Consumers::list() const {
    const std::lock_guard lock(mutex_);
    std::vector<Consumer> all;
    all.reserve(known_.size());
    for (const auto& [name, one] : known_) all.push_back(one);
    return all;
}

void Consumers::put(Consumer consumer, Done done) {
    auto work = [consumer](store::Database& database) { return write(database, consumer); };
    writer_->submit(std::move(work), [this, consumer, done = std::move(done)](base::Status written) {
        if (written) {
            const std::lock_guard lock(mutex_);
            known_[consumer.name] = consumer;
        }
        done(std::move(written));
    });
}

void Consumers::remove(std::string name, Done done) {
    auto work = [name](store::Database& database) { return erase(database, name); };
    writer_->submit(std::move(work), [this, name, done = std::move(done)](base::Status erased) {
        if (erased) {
            const std::lock_guard lock(mutex_);
            known_.erase(name);
        }
        done(std::move(erased));
    });
}

}  // namespace hub
