// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "azure/query.hpp"
#include "base/error.hpp"
#include "hub/services.hpp"
#include "registry/registry.hpp"

/// Queries over the registry, in steps of bounded work. From any thread.
namespace hub {

/// Where a query goes on.
struct QueryPosition {
    trust::Identity after;              ///< the last identity that was looked at; empty: none yet
    std::optional<std::uint64_t> left;  ///< rows that TOP still allows

    /// Opaque text for x-ms-continuation. It is good for this text of a query alone.
    std::string token(std::string_view query) const;
    /// invalid_argument where it is no token, or one of another query.
    static base::Result<QueryPosition> parse(std::string_view token, std::string_view query);
};

/// What one step has found.
struct QueryStep {
    std::string rows;  ///< JSON, joined by commas, without brackets
    std::size_t count = 0;
    QueryPosition position;
    bool finished = false;
};

/// Looks at a bounded number of twins from `from` on, and stops at `most` rows or 4 MiB of them.
base::Result<QueryStep> scan(registry::Reader& reader, const Services& services, const azure::Query& query,
                             QueryPosition from, std::size_t most);
/// The same for a query with aggregates; what matches goes into `groups`.
base::Result<QueryStep> scan(registry::Reader& reader, const Services& services, const azure::Query& query,
                             QueryPosition from, azure::QueryGroups& groups);

}  // namespace hub
