// SPDX-License-Identifier: Apache-2.0
#include "ca/readers.hpp"

#include "base/events.hpp"
#include "base/log.hpp"
#include "ca/inventory_rows.hpp"

namespace ca {

base::Status Readers::read(const std::function<base::Status(store::Database&)>& work) const {
    std::unique_ptr<store::Database> database;
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            database = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (!database) {
        auto opened = store::Database::open(file_, store::Database::Access::read_only, rows::schema());
        if (!opened) {
            base::log::error(base::events::store_failed, opened.error());
            return std::unexpected(opened.error());
        }
        database = *std::move(opened);
    }
    auto done = work(*database);
    if (!done) base::log::error(base::events::store_failed, done.error());
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(database));
    return done;
}

}  // namespace ca
