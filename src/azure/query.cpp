// SPDX-License-Identifier: Apache-2.0
#include "azure/query.hpp"

#include <algorithm>
#include <array>

#include "azure/query_parser.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"

namespace azure {
namespace {

using query::fail_at;
using query::Parser;

struct AggregateName {
    std::string_view name;
    QueryColumn::Kind kind;
};
constexpr std::array aggregates{
    AggregateName{"COUNT", QueryColumn::Kind::count}, AggregateName{"SUM", QueryColumn::Kind::sum},
    AggregateName{"AVG", QueryColumn::Kind::average}, AggregateName{"MIN", QueryColumn::Kind::least},
    AggregateName{"MAX", QueryColumn::Kind::greatest}};

base::Status check_length(std::string_view text) {
    if (text.size() <= Query::longest) return {};
    return fail_at(Query::longest + 1, "the query has " + std::to_string(text.size()) + " octets",
                   "use at most " + std::to_string(Query::longest));
}

}  // namespace

base::Result<Condition> Condition::parse(std::string_view text) {
    if (auto fine = check_length(text); !fine) return std::unexpected(fine.error());
    SP_TRY(return, const auto tokens, query::tokens_of(text));
    Parser parser(tokens);
    SP_TRY(return, auto root, parser.condition());
    if (!parser.at_end()) return parser.unexpected("AND, OR or the end");
    return Condition(std::move(root));
}

/// The clauses around the condition.
class QueryParser {
  public:
    explicit QueryParser(std::span<const query::Token> tokens) : parser_(tokens) {}

    base::Result<Query> parse() {
        for (const auto clause :
             {&QueryParser::select, &QueryParser::from, &QueryParser::where, &QueryParser::group_by}) {
            if (auto read = (this->*clause)(); !read) return std::unexpected(read.error());
        }
        if (!parser_.at_end()) return parser_.unexpected("the end");
        if (auto fine = check_groups(); !fine) return std::unexpected(fine.error());
        return std::move(query_);
    }

  private:
    base::Status select() {
        if (auto found = parser_.expect_word("SELECT"); !found) return found;
        if (parser_.take_word("TOP")) {
            const auto& number = parser_.peek();
            if (number.kind != query::Token::Kind::number || !number.value.is_int64() ||
                number.value.get_int64() < 1)
                return parser_.unexpected("a number from 1 after TOP");
            query_.top_ = static_cast<std::uint64_t>(parser_.take().value.get_int64());
        }
        if (parser_.take_symbol("*")) return {};
        do {
            const auto position = parser_.peek().position;
            SP_TRY(return, auto read, column());
            const auto same = [&](const QueryColumn& other) { return other.name == read.name; };
            if (std::ranges::any_of(query_.columns_, same))
                return fail_at(position, "there are two columns " + read.name, "name one with AS");
            query_.columns_.push_back(std::move(read));
        } while (parser_.take_symbol(","));
        return {};
    }

    base::Result<QueryColumn> column() {
        QueryColumn out;
        if (parser_.at_call()) {
            if (auto read = aggregate(out); !read) return std::unexpected(read.error());
        } else {
            const auto& first = parser_.peek();
            SP_TRY(return, out.path, parser_.path());
            out.name = out.path.size() == 1 ? first.text : out.path.back();
        }
        if (parser_.take_word("AS")) {
            SP_TRY(return, out.name, parser_.name());
        }
        return out;
    }

    base::Status aggregate(QueryColumn& out) {
        const auto& word = parser_.take();
        const auto known = std::ranges::find_if(aggregates, [&](const AggregateName& one) {
            return base::equal_ignoring_case(one.name, word.text);
        });
        if (known == aggregates.end())
            return fail_at(word.position, word.text + " cannot be selected",
                           "use COUNT(), SUM, AVG, MIN, MAX or the path of a member");
        parser_.take();
        out.kind = known->kind;
        out.name = "$" + std::to_string(++unnamed_);
        if (out.kind != QueryColumn::Kind::count) {
            SP_TRY(return, out.path, parser_.path());
        } else if (!parser_.take_symbol("*") && parser_.peek().kind == query::Token::Kind::number) {
            parser_.take();
        }
        return parser_.expect_symbol(")");
    }

    base::Status from() {
        if (auto found = parser_.expect_word("FROM"); !found) return found;
        const auto position = parser_.peek().position;
        SP_TRY(return, const auto path, parser_.path());
        const auto is = [&](std::initializer_list<std::string_view> words) {
            return std::ranges::equal(path, words, [](const std::string& a, std::string_view b) {
                return base::equal_ignoring_case(a, b);
            });
        };
        if (is({"devices"})) {
            query_.source_ = QuerySource::devices;
        } else if (is({"devices", "modules"})) {
            query_.source_ = QuerySource::modules;
        } else {
            return fail_at(position, "there is no such collection in this hub",
                           "query FROM devices or FROM devices.modules");
        }
        return {};
    }

    base::Status where() {
        if (!parser_.take_word("WHERE")) return {};
        SP_TRY(return, auto root, parser_.condition());
        query_.condition_.emplace(std::move(root));
        return {};
    }

    base::Status group_by() {
        if (!parser_.take_word("GROUP")) return {};
        if (auto found = parser_.expect_word("BY"); !found) return found;
        do {
            SP_TRY(return, auto path, parser_.path());
            query_.groups_.push_back(std::move(path));
        } while (parser_.take_symbol(","));
        return {};
    }

    base::Status check_groups() const {
        if (!query_.aggregates()) return {};
        if (query_.selects_all())
            return fail_at(1, "SELECT * has no groups", "select the grouped members and COUNT()");
        for (const auto& column : query_.columns_) {
            const bool grouped = std::ranges::find(query_.groups_, column.path) != query_.groups_.end();
            if (column.kind == QueryColumn::Kind::member && !grouped)
                return fail_at(1, "the column " + column.name + " is neither grouped nor counted",
                               "name it in GROUP BY too");
        }
        return {};
    }

    Parser parser_;
    Query query_;
    int unnamed_ = 0;
};

base::Result<Query> Query::parse(std::string_view text) {
    if (auto fine = check_length(text); !fine) return std::unexpected(fine.error());
    SP_TRY(return, const auto tokens, query::tokens_of(text));
    return QueryParser(tokens).parse();
}

bool Query::aggregates() const {
    return !groups_.empty() || std::ranges::any_of(columns_, [](const QueryColumn& column) {
        return column.kind != QueryColumn::Kind::member;
    });
}

bool Query::counts_everything() const {
    return !condition_ && groups_.empty() && !columns_.empty() &&
           std::ranges::all_of(
               columns_, [](const QueryColumn& column) { return column.kind == QueryColumn::Kind::count; });
}

}  // namespace azure
