// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

/// The tree of a condition, and its value for a document.
namespace azure::query {

/// {"tags", "location", "plant"}.
using Path = std::vector<std::string>;

struct Expression;

struct Literal {
    boost::json::value value;
};
struct Undefined {};
struct Member {
    Path path;
};
struct Not {
    std::vector<Expression> operand;  // one; a vector, since the type is not complete here
};
/// a AND b AND c, or with OR: flat, so that a long chain is not a deep tree.
struct Chain {
    enum class Kind { all, any };
    Kind kind;
    std::vector<Expression> operands;
};
enum class Comparator { equal, unequal, less, less_or_equal, greater, greater_or_equal };
struct Comparison {
    Comparator comparator;
    std::vector<Expression> sides;  ///< two
};
struct Membership {
    bool inverted;                   ///< NOT IN
    std::vector<Expression> values;  ///< the first is looked for in the others
};
enum class Function {
    is_defined,
    is_null,
    is_string,
    is_number,
    is_bool,
    is_object,
    is_array,
    is_primitive,
    starts_with,
    ends_with,
    contains,
    array_contains
};
struct Call {
    Function function;
    std::vector<Expression> arguments;
};

struct Expression {
    std::variant<Literal, Undefined, Member, Not, Chain, Comparison, Membership, Call> form;
};

/// What stands at the path; nullptr: undefined.
const boost::json::value* find(const boost::json::object& document, const Path& path);

/// The value of an expression for a document; nullptr: undefined. Truth has three values: NOT undefined is
/// undefined; false AND undefined is false; true OR undefined is true. Values of different types cannot be
/// compared, except for (in)equality with null. Points into the document or the expression, or to a constant.
const boost::json::value* evaluate(const Expression& expression, const boost::json::object& document);

/// How two values stand to each other: numbers by value, strings by their octets, booleans and null for
/// equality alone. Objects and arrays, and what differs in type, are unordered.
enum class Order { less, equal, greater, unequal, unordered };
Order compare(const boost::json::value& a, const boost::json::value& b);

}  // namespace azure::query
