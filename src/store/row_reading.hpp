// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "store/database.hpp"

namespace store {

/// All rows of a query, each read by `read(Statement&) -> Result<T>`.
template <class T, class Read>
base::Result<std::vector<T>> collect(Statement& query, Read read) {
    std::vector<T> out;
    while (true) {
        SP_TRY(return, const bool there, query.step());
        if (!there) return out;
        SP_TRY(return, auto one, read(query));
        out.push_back(std::move(one));
    }
}

/// The one row of a query, or none.
template <class T, class Read>
base::Result<std::optional<T>> only(Statement& query, Read read) {
    SP_TRY(return, const bool there, query.step());
    if (!there) return std::nullopt;
    SP_TRY(return, auto one, read(query));
    return one;
}

/// Of Statement::run() where the number of rows does not matter.
inline base::Status done(const base::Result<int>& ran) {
    if (!ran) return std::unexpected(ran.error());
    return {};
}

inline std::int64_t seconds(base::Instant when) {
    return when.time_since_epoch().count();
}
inline base::Instant instant(std::int64_t seconds) {
    return base::Instant(std::chrono::seconds(seconds));
}

inline std::int64_t milliseconds(std::chrono::sys_time<std::chrono::milliseconds> when) {
    return when.time_since_epoch().count();
}
inline std::chrono::sys_time<std::chrono::milliseconds> moment(std::int64_t milliseconds) {
    return std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(milliseconds));
}

}  // namespace store
