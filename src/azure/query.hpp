// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azure/query_expression.hpp"
#include "base/error.hpp"

/// The query language of hub.md 5.6 over twin documents (`boost::json` objects with members `deviceId`,
/// `tags`, `properties`...). Pure: where the documents come from is the caller's affair.
namespace azure {

/// A condition of a WHERE clause, or the target condition of a configuration.
class Condition {
  public:
    /// Errors are invalid_argument; the thing is "query at position N", counted in characters from 1.
    static base::Result<Condition> parse(std::string_view text);
    explicit Condition(query::Expression root) : root_(std::move(root)) {}

    /// Whether the document fulfils it. What is undefined, or compares what cannot be compared, does not.
    bool holds(const boost::json::object& twin) const;
    const query::Expression& root() const { return root_; }

  private:
    query::Expression root_;
};

enum class QuerySource { devices, modules };

/// Device ids from `first` to `last`, both included; empty `last`: to the end.
struct IdSpan {
    std::string first;
    std::string last;
    bool empty() const { return !last.empty() && last < first; }
};

/// One column of a projection.
struct QueryColumn {
    enum class Kind { member, count, sum, average, least, greatest };
    Kind kind = Kind::member;
    query::Path path;  ///< empty for count
    std::string name;  ///< under which it is answered
};

/// A query: SELECT [TOP n] * | columns FROM devices | devices.modules [WHERE ...] [GROUP BY ...].
class Query {
  public:
    static constexpr std::size_t longest = 8192;  ///< octets of its text
    static base::Result<Query> parse(std::string_view text);

    QuerySource source() const { return source_; }
    /// SELECT *: the answer is twins; otherwise raw objects.
    bool selects_all() const { return columns_.empty(); }
    /// The answer is made of groups of twins, not of one row a twin.
    bool aggregates() const;
    /// SELECT COUNT() of everything: no twin has to be read for it.
    bool counts_everything() const;
    std::optional<std::uint64_t> top() const { return top_; }
    const std::vector<QueryColumn>& columns() const { return columns_; }
    const std::vector<query::Path>& groups() const { return groups_; }

    bool matches(const boost::json::object& twin) const { return !condition_ || condition_->holds(twin); }
    /// The row for one twin that matches; a column that is not defined is left out.
    boost::json::object project(const boost::json::object& twin) const;
    /// The only device ids whose twins can match: what the condition asks of deviceId.
    IdSpan ids() const;

  private:
    friend class QueryParser;
    QuerySource source_ = QuerySource::devices;
    std::optional<std::uint64_t> top_;
    std::vector<QueryColumn> columns_;
    std::optional<Condition> condition_;
    std::vector<query::Path> groups_;
};

/// The groups of a query that aggregates, filled twin by twin. Refers to the query.
class QueryGroups {
  public:
    static constexpr std::size_t most = 10'000;  ///< groups of one answer, so that memory is bounded
    explicit QueryGroups(const Query& query) : query_(query) {}
    /// invalid_argument where there are more groups than `most`.
    base::Status add(const boost::json::object& twin);
    /// For counts_everything.
    void add_count(std::uint64_t twins);
    /// A row a group, in the order of their keys; one row even of no twins where there is no GROUP BY.
    boost::json::array rows() const;

  private:
    struct Cell {
        std::uint64_t count = 0;
        double sum = 0;
        std::optional<boost::json::value> kept;  ///< of a member, the least, the greatest
    };
    using Row = std::vector<Cell>;
    boost::json::object to_row(const Row& cells) const;

    const Query& query_;
    std::map<std::string, Row> groups_;
};

}  // namespace azure
