// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "store/database.hpp"

namespace registry::rows {

/// All rows of a query, each read by `read(Statement&) -> Result<T>`.
template <class T, class Read>
base::Result<std::vector<T>> collect(store::Statement& query, Read read) {
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
base::Result<std::optional<T>> only(store::Statement& query, Read read) {
    SP_TRY(return, const bool there, query.step());
    if (!there) return std::nullopt;
    SP_TRY(return, auto one, read(query));
    return one;
}

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

}  // namespace registry::rows
