// SPDX-License-Identifier: Apache-2.0
#include "azure/query_expression.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace azure::query {
namespace {

namespace json = boost::json;

const json::value yes(true);
const json::value no(false);

const json::value* truth(bool value) {
    return value ? &yes : &no;
}

/// True, false, or neither: what is no boolean is undefined as a condition.
std::optional<bool> as_truth(const json::value* value) {
    if (value == nullptr || !value->is_bool()) return std::nullopt;
    return value->get_bool();
}

Order order_of(bool less, bool greater) {
    if (less) return Order::less;
    return greater ? Order::greater : Order::equal;
}

Order compare_numbers(const json::value& a, const json::value& b) {
    if (a.is_int64() && b.is_int64())
        return order_of(a.get_int64() < b.get_int64(), a.get_int64() > b.get_int64());
    const auto left = a.to_number<double>(), right = b.to_number<double>();
    return order_of(left<right, left> right);
}

const json::value* apply(Comparator comparator, Order order) {
    const bool equality = comparator == Comparator::equal || comparator == Comparator::unequal;
    if (order == Order::unordered || (order == Order::unequal && !equality)) return nullptr;
    switch (comparator) {
        case Comparator::equal:
            return truth(order == Order::equal);
        case Comparator::unequal:
            return truth(order != Order::equal);
        case Comparator::less:
            return truth(order == Order::less);
        case Comparator::less_or_equal:
            return truth(order != Order::greater);
        case Comparator::greater:
            return truth(order == Order::greater);
        case Comparator::greater_or_equal:
            return truth(order != Order::less);
    }
    return nullptr;
}

std::optional<std::string_view> text_of(const json::value* value) {
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return std::string_view(value->get_string());
}

bool holds_element(const json::array& array, const json::value& wanted) {
    return std::ranges::any_of(array, [&](const json::value& element) {
        if (element.is_structured() || wanted.is_structured()) return element == wanted;
        return compare(element, wanted) == Order::equal;
    });
}

const json::value* call_on_two(Function function, const json::value* first, const json::value* second) {
    if (function == Function::array_contains) {
        if (first == nullptr || second == nullptr || !first->is_array()) return nullptr;
        return truth(holds_element(first->get_array(), *second));
    }
    const auto text = text_of(first), part = text_of(second);
    if (!text || !part) return nullptr;
    if (function == Function::starts_with) return truth(text->starts_with(*part));
    if (function == Function::ends_with) return truth(text->ends_with(*part));
    return truth(text->find(*part) != std::string_view::npos);
}

/// IS_STRING and its like: false, not undefined, where there is nothing.
bool has_type(Function function, const json::value* value) {
    if (value == nullptr) return false;
    switch (function) {
        case Function::is_defined:
            return true;
        case Function::is_null:
            return value->is_null();
        case Function::is_string:
            return value->is_string();
        case Function::is_number:
            return value->is_number();
        case Function::is_bool:
            return value->is_bool();
        case Function::is_object:
            return value->is_object();
        case Function::is_array:
            return value->is_array();
        case Function::is_primitive:
            return !value->is_structured();
        case Function::starts_with:
        case Function::ends_with:
        case Function::contains:
        case Function::array_contains:
            break;
    }
    return false;
}

struct Evaluator {
    const json::object& document;

    const json::value* operator()(const Literal& literal) const { return &literal.value; }
    const json::value* operator()(const Undefined&) const { return nullptr; }
    const json::value* operator()(const Member& member) const { return find(document, member.path); }

    const json::value* operator()(const Not& negation) const {
        const auto value = as_truth(of(negation.operand.front()));
        return value ? truth(!*value) : nullptr;
    }

    const json::value* operator()(const Chain& chain) const {
        const bool decisive = chain.kind == Chain::Kind::any;
        bool unknown = false;
        for (const auto& operand : chain.operands) {
            const auto value = as_truth(of(operand));
            if (!value)
                unknown = true;
            else if (*value == decisive)
                return truth(decisive);
        }
        return unknown ? nullptr : truth(!decisive);
    }

    const json::value* operator()(const Comparison& comparison) const {
        const auto* left = of(comparison.sides[0]);
        const auto* right = of(comparison.sides[1]);
        if (left == nullptr || right == nullptr) return nullptr;
        return apply(comparison.comparator, compare(*left, *right));
    }

    const json::value* operator()(const Membership& membership) const {
        const auto* wanted = of(membership.values.front());
        if (wanted == nullptr || wanted->is_structured()) return nullptr;
        for (std::size_t i = 1; i < membership.values.size(); ++i) {
            const auto* one = of(membership.values[i]);
            if (one != nullptr && compare(*wanted, *one) == Order::equal) return truth(!membership.inverted);
        }
        return truth(membership.inverted);
    }

    const json::value* operator()(const Call& call) const {
        const auto* first = of(call.arguments.front());
        if (call.arguments.size() == 1) return truth(has_type(call.function, first));
        return call_on_two(call.function, first, of(call.arguments[1]));
    }

    const json::value* of(const Expression& expression) const { return std::visit(*this, expression.form); }
};

}  // namespace

const json::value* find(const json::object& document, const Path& path) {
    const json::object* object = &document;
    const json::value* value = nullptr;
    for (const auto& name : path) {
        if (object == nullptr) return nullptr;
        value = object->if_contains(name);
        if (value == nullptr) return nullptr;
        object = value->if_object();
    }
    return value;
}

Order compare(const json::value& a, const json::value& b) {
    if (a.is_structured() || b.is_structured()) return Order::unordered;
    if (a.is_null() || b.is_null()) return a.is_null() && b.is_null() ? Order::equal : Order::unequal;
    if (a.is_number() && b.is_number()) return compare_numbers(a, b);
    if (a.is_string() && b.is_string()) {
        const int sign = std::string_view(a.get_string()).compare(std::string_view(b.get_string()));
        return order_of(sign < 0, sign > 0);
    }
    if (a.is_bool() && b.is_bool()) return a.get_bool() == b.get_bool() ? Order::equal : Order::unequal;
    return Order::unordered;
}

const json::value* evaluate(const Expression& expression, const json::object& document) {
    return Evaluator{document}.of(expression);
}

}  // namespace azure::query
