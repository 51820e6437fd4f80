// SPDX-License-Identifier: Apache-2.0
#include "azure/query_parser.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/encoding.hpp"
#include "base/result.hpp"

namespace azure::query {
namespace {

struct FunctionName {
    std::string_view name;
    Function function;
    std::size_t arguments;
};
// The language of routes spells some with an underscore; both are in use.
constexpr std::array functions{FunctionName{"IS_DEFINED", Function::is_defined, 1},
                               FunctionName{"IS_NULL", Function::is_null, 1},
                               FunctionName{"IS_STRING", Function::is_string, 1},
                               FunctionName{"IS_NUMBER", Function::is_number, 1},
                               FunctionName{"IS_BOOL", Function::is_bool, 1},
                               FunctionName{"IS_OBJECT", Function::is_object, 1},
                               FunctionName{"IS_ARRAY", Function::is_array, 1},
                               FunctionName{"IS_PRIMITIVE", Function::is_primitive, 1},
                               FunctionName{"STARTSWITH", Function::starts_with, 2},
                               FunctionName{"STARTS_WITH", Function::starts_with, 2},
                               FunctionName{"ENDSWITH", Function::ends_with, 2},
                               FunctionName{"ENDS_WITH", Function::ends_with, 2},
                               FunctionName{"CONTAINS", Function::contains, 2},
                               FunctionName{"ARRAY_CONTAINS", Function::array_contains, 2}};

struct ComparatorName {
    std::string_view symbol;
    Comparator comparator;
};
constexpr std::array comparators{ComparatorName{"=", Comparator::equal},
                                 ComparatorName{"!=", Comparator::unequal},
                                 ComparatorName{"<>", Comparator::unequal},
                                 ComparatorName{"<", Comparator::less},
                                 ComparatorName{"<=", Comparator::less_or_equal},
                                 ComparatorName{">", Comparator::greater},
                                 ComparatorName{">=", Comparator::greater_or_equal}};

constexpr std::array<std::string_view, 12> keywords{"SELECT", "TOP", "AS", "FROM", "WHERE", "GROUP",
                                                    "BY",     "AND", "OR", "NOT",  "IN",    "NIN"};

// The members of a twin are found without regard to case (Azure's own samples write DeviceID); what is below
// them are the user's keys.
constexpr std::array<std::string_view, 19> twin_members{"deviceId",
                                                        "moduleId",
                                                        "etag",
                                                        "deviceEtag",
                                                        "status",
                                                        "statusReason",
                                                        "statusUpdateTime",
                                                        "connectionState",
                                                        "lastActivityTime",
                                                        "cloudToDeviceMessageCount",
                                                        "authenticationType",
                                                        "x509Thumbprint",
                                                        "modelId",
                                                        "version",
                                                        "tags",
                                                        "properties",
                                                        "capabilities",
                                                        "deviceScope",
                                                        "parentScopes"};

std::string spelled(const std::string& name) {
    const auto found = std::ranges::find_if(
        twin_members, [&](std::string_view member) { return base::equal_ignoring_case(member, name); });
    return found == twin_members.end() ? name : std::string(*found);
}

bool is_keyword(std::string_view word) {
    return std::ranges::any_of(
        keywords, [&](std::string_view keyword) { return base::equal_ignoring_case(keyword, word); });
}

std::string described(const Token& token) {
    switch (token.kind) {
        case Token::Kind::text:
            return "the text '" + token.text + "'";
        case Token::Kind::end:
            return "the end";
        case Token::Kind::word:
        case Token::Kind::name:
        case Token::Kind::number:
        case Token::Kind::symbol:
            break;
    }
    return token.text;
}

}  // namespace

const Token& Parser::take() {
    const auto& token = tokens_[at_];
    if (token.kind != Token::Kind::end) ++at_;
    return token;
}

bool Parser::take_word(std::string_view word) {
    const auto& token = peek();
    if (token.kind != Token::Kind::word || !base::equal_ignoring_case(token.text, word)) return false;
    take();
    return true;
}

bool Parser::take_symbol(std::string_view symbol) {
    const auto& token = peek();
    if (token.kind != Token::Kind::symbol || token.text != symbol) return false;
    take();
    return true;
}

base::Status Parser::expect_word(std::string_view word) {
    if (take_word(word)) return {};
    return unexpected(std::string(word));
}

base::Status Parser::expect_symbol(std::string_view symbol) {
    if (take_symbol(symbol)) return {};
    return unexpected(std::string(symbol));
}

std::unexpected<base::Error> Parser::unexpected(std::string expected) const {
    return fail_at(peek().position, "expects " + std::move(expected) + ", and finds " + described(peek()));
}

bool Parser::at_call() const {
    const auto& after = tokens_[std::min(at_ + 1, tokens_.size() - 1)];
    return peek().kind == Token::Kind::word && after.kind == Token::Kind::symbol && after.text == "(";
}

base::Result<std::string> Parser::name() {
    const auto& token = peek();
    if (token.kind == Token::Kind::name) return take().text;
    if (token.kind != Token::Kind::word) return unexpected("a name");
    if (is_keyword(token.text))
        return fail_at(token.position, token.text + " is a word of the language",
                       "write [[" + token.text + "]] where it is a name");
    return take().text;
}

base::Result<Path> Parser::path() {
    SP_TRY(return, auto first, name());
    Path path{spelled(first)};
    while (true) {
        if (take_symbol(".")) {
            const auto& token = peek();
            if (token.kind != Token::Kind::word && token.kind != Token::Kind::name)
                return unexpected("a name after the dot");
            path.push_back(take().text);
        } else if (take_symbol("[")) {
            if (peek().kind != Token::Kind::text) return unexpected("a name in quotes");
            path.push_back(take().text);
            if (auto closed = expect_symbol("]"); !closed) return std::unexpected(closed.error());
        } else if (peek().kind == Token::Kind::name) {
            path.push_back(take().text);
        } else {
            return path;
        }
    }
}

base::Result<Expression> Parser::below(base::Result<Expression> (Parser::*rule)()) {
    if (depth_ == deepest)
        return fail_at(peek().position, "is nested more than " + std::to_string(deepest) + " deep");
    ++depth_;
    auto read = (this->*rule)();
    --depth_;
    return read;
}

base::Result<Expression> Parser::condition() {
    return chain(Chain::Kind::any);
}

base::Result<Expression> Parser::chain(Chain::Kind kind) {
    const bool any = kind == Chain::Kind::any;
    const auto one = [&] { return any ? chain(Chain::Kind::all) : negation(); };
    SP_TRY(return, auto first, one());
    std::vector<Expression> operands;
    operands.push_back(std::move(first));
    while (take_word(any ? "OR" : "AND")) {
        SP_TRY(return, auto next, one());
        operands.push_back(std::move(next));
    }
    if (operands.size() == 1) return std::move(operands.front());
    return Expression{Chain{kind, std::move(operands)}};
}

base::Result<Expression> Parser::negation() {
    if (!take_word("NOT")) return comparison();
    SP_TRY(return, auto operand, below(&Parser::negation));
    std::vector<Expression> one;
    one.push_back(std::move(operand));
    return Expression{Not{std::move(one)}};
}

base::Result<Expression> Parser::comparison() {
    SP_TRY(return, auto left, operand());
    if (take_word("IN")) return membership(std::move(left), false);
    if (take_word("NIN")) return membership(std::move(left), true);
    if (take_word("NOT")) {
        if (auto found = expect_word("IN"); !found) return std::unexpected(found.error());
        return membership(std::move(left), true);
    }
    for (const auto& [symbol, comparator] : comparators) {
        if (!take_symbol(symbol)) continue;
        SP_TRY(return, auto right, operand());
        std::vector<Expression> sides;
        sides.push_back(std::move(left));
        sides.push_back(std::move(right));
        return Expression{Comparison{comparator, std::move(sides)}};
    }
    return left;
}

base::Result<Expression> Parser::membership(Expression value, bool inverted) {
    const bool bracket = take_symbol("[");
    if (!bracket && !take_symbol("(")) return unexpected("[ or ( after IN");
    const std::string_view closing = bracket ? "]" : ")";
    std::vector<Expression> values;
    values.push_back(std::move(value));
    do {
        SP_TRY(return, auto one, operand());
        values.push_back(std::move(one));
    } while (take_symbol(","));
    if (!take_symbol(closing)) return unexpected("a comma or " + std::string(closing));
    return Expression{Membership{inverted, std::move(values)}};
}

base::Result<Expression> Parser::operand() {
    const auto& token = peek();
    if (token.kind == Token::Kind::text) return Expression{Literal{boost::json::string(take().text)}};
    if (token.kind == Token::Kind::number) return Expression{Literal{take().value}};
    if (take_symbol("(")) return below(&Parser::parenthesis);
    if (take_symbol("[")) return array();
    if (at_call()) return below(&Parser::call);
    if (take_word("TRUE")) return Expression{Literal{true}};
    if (take_word("FALSE")) return Expression{Literal{false}};
    if (take_word("NULL")) return Expression{Literal{nullptr}};
    if (take_word("UNDEFINED")) return Expression{Undefined{}};
    if (token.kind != Token::Kind::word && token.kind != Token::Kind::name)
        return unexpected("a value, a name or a function");
    SP_TRY(return, auto member, path());
    return Expression{Member{std::move(member)}};
}

base::Result<Expression> Parser::parenthesis() {
    SP_TRY(return, auto inner, condition());
    if (auto closed = expect_symbol(")"); !closed) return std::unexpected(closed.error());
    return inner;
}

base::Result<Expression> Parser::array() {
    boost::json::array elements;
    while (!take_symbol("]")) {
        if (!elements.empty())
            if (auto comma = expect_symbol(","); !comma) return std::unexpected(comma.error());
        const auto position = peek().position;
        SP_TRY(return, auto one, operand());
        auto* literal = std::get_if<Literal>(&one.form);
        if (literal == nullptr || literal->value.is_structured())
            return fail_at(position, "an array holds plain values only");
        elements.push_back(std::move(literal->value));
    }
    return Expression{Literal{std::move(elements)}};
}

base::Result<Expression> Parser::call() {
    const auto& token = take();
    const auto known = std::ranges::find_if(functions, [&](const FunctionName& function) {
        return base::equal_ignoring_case(function.name, token.text);
    });
    if (known == functions.end())
        return fail_at(token.position, token.text + " is no function that this hub knows",
                       "it knows IS_DEFINED, STARTSWITH, ENDSWITH, CONTAINS, ARRAY_CONTAINS and IS_STRING, "
                       "IS_NUMBER, IS_BOOL, IS_NULL, IS_OBJECT, IS_ARRAY, IS_PRIMITIVE");
    take();
    std::vector<Expression> arguments;
    do {
        SP_TRY(return, auto one, condition());
        arguments.push_back(std::move(one));
    } while (take_symbol(","));
    if (auto closed = expect_symbol(")"); !closed) return std::unexpected(closed.error());
    if (arguments.size() != known->arguments)
        return fail_at(token.position, std::string(known->name) + " takes " +
                                           std::to_string(known->arguments) + " arguments, not " +
                                           std::to_string(arguments.size()));
    return Expression{Call{known->function, std::move(arguments)}};
}

}  // namespace azure::query
