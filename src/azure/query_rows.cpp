// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "azure/query.hpp"

/// What a query makes of the twins that it is given.
namespace azure {
namespace {

namespace json = boost::json;
using query::Comparator;

/// Where a condition asks for one text of deviceId: `path comparator literal`, in this order.
struct Asked {
    Comparator comparator;
    std::string_view text;
};

bool is_device_id(const query::Expression& side) {
    const auto* member = std::get_if<query::Member>(&side.form);
    return member != nullptr && member->path.size() == 1 && member->path.front() == "deviceId";
}

std::optional<std::string_view> literal_text(const query::Expression& side) {
    const auto* literal = std::get_if<query::Literal>(&side.form);
    if (literal == nullptr || !literal->value.is_string()) return std::nullopt;
    return std::string_view(literal->value.get_string());
}

Comparator mirrored(Comparator comparator) {
    switch (comparator) {
        case Comparator::less:
            return Comparator::greater;
        case Comparator::less_or_equal:
            return Comparator::greater_or_equal;
        case Comparator::greater:
            return Comparator::less;
        case Comparator::greater_or_equal:
            return Comparator::less_or_equal;
        case Comparator::equal:
        case Comparator::unequal:
            break;
    }
    return comparator;
}

std::optional<Asked> asked_of_id(const query::Comparison& comparison) {
    const auto& left = comparison.sides[0];
    const auto& right = comparison.sides[1];
    if (is_device_id(left))
        if (const auto text = literal_text(right)) return Asked{comparison.comparator, *text};
    if (is_device_id(right))
        if (const auto text = literal_text(left)) return Asked{mirrored(comparison.comparator), *text};
    return std::nullopt;
}

// Behind every id with this prefix: no id holds a character above '~'.
std::string behind_prefix(std::string_view prefix) {
    return std::string(prefix) + '\x7f';
}

void narrow(IdSpan& span, std::string_view first, std::optional<std::string> last) {
    span.first = std::max(span.first, std::string(first));
    if (last && (span.last.empty() || *last < span.last)) span.last = *std::move(last);
}

void narrow(IdSpan& span, const Asked& asked) {
    switch (asked.comparator) {
        case Comparator::equal:
            return narrow(span, asked.text, std::string(asked.text));
        case Comparator::less:
        case Comparator::less_or_equal:
            return narrow(span, {}, std::string(asked.text));
        case Comparator::greater:
        case Comparator::greater_or_equal:
            return narrow(span, asked.text, std::nullopt);
        case Comparator::unequal:
            return;
    }
}

void narrow(IdSpan& span, const query::Membership& membership) {
    if (membership.inverted || !is_device_id(membership.values.front())) return;
    std::string least, greatest;
    for (std::size_t i = 1; i < membership.values.size(); ++i) {
        const auto text = literal_text(membership.values[i]);
        if (!text) return;
        if (i == 1 || *text < least) least = *text;
        if (*text > greatest) greatest = *text;
    }
    narrow(span, least, greatest);
}

/// Narrows the span by what must be true; everything else is left to the condition itself.
void narrow(IdSpan& span, const query::Expression& condition) {
    if (const auto* chain = std::get_if<query::Chain>(&condition.form)) {
        if (chain->kind == query::Chain::Kind::all)
            for (const auto& operand : chain->operands) narrow(span, operand);
    } else if (const auto* comparison = std::get_if<query::Comparison>(&condition.form)) {
        if (const auto asked = asked_of_id(*comparison)) narrow(span, *asked);
    } else if (const auto* membership = std::get_if<query::Membership>(&condition.form)) {
        narrow(span, *membership);
    } else if (const auto* call = std::get_if<query::Call>(&condition.form)) {
        if (call->function != query::Function::starts_with || !is_device_id(call->arguments[0])) return;
        if (const auto text = literal_text(call->arguments[1])) narrow(span, *text, behind_prefix(*text));
    }
}

bool replaces(QueryColumn::Kind kind, const std::optional<json::value>& kept, const json::value& value) {
    if (!value.is_number() && !value.is_string()) return false;
    if (!kept) return true;
    const auto wanted = kind == QueryColumn::Kind::least ? query::Order::less : query::Order::greater;
    return query::compare(value, *kept) == wanted;
}

}  // namespace

bool Condition::holds(const json::object& twin) const {
    const auto* value = query::evaluate(root_, twin);
    return value != nullptr && value->is_bool() && value->get_bool();
}

json::object Query::project(const json::object& twin) const {
    json::object row;
    for (const auto& column : columns_) {
        const auto* value = query::find(twin, column.path);
        if (value != nullptr) row[column.name] = *value;
    }
    return row;
}

IdSpan Query::ids() const {
    IdSpan span;
    if (condition_) narrow(span, condition_->root());
    return span;
}

base::Status QueryGroups::add(const json::object& twin) {
    std::string key;
    for (const auto& path : query_.groups()) {
        const auto* value = query::find(twin, path);
        // Undefined is a group of its own, apart from null.
        key += value == nullptr ? std::string("-") : json::serialize(*value);
        key += '\n';
    }
    const auto [found, fresh] = groups_.try_emplace(std::move(key), query_.columns().size());
    if (fresh && groups_.size() > most)
        return base::fail(base::Code::invalid_argument, "query",
                          "has more than " + std::to_string(most) + " groups",
                          "group by a member with fewer values");
    for (std::size_t i = 0; i < query_.columns().size(); ++i) {
        const auto& column = query_.columns()[i];
        auto& cell = found->second[i];
        if (column.kind == QueryColumn::Kind::count) {
            ++cell.count;
            continue;
        }
        const auto* value = query::find(twin, column.path);
        if (value == nullptr) continue;
        if (column.kind == QueryColumn::Kind::member) {
            cell.kept = *value;
        } else if (column.kind == QueryColumn::Kind::least || column.kind == QueryColumn::Kind::greatest) {
            if (replaces(column.kind, cell.kept, *value)) cell.kept = *value;
        } else if (value->is_number()) {
            ++cell.count;
            cell.sum += value->to_number<double>();
        }
    }
    return {};
}

void QueryGroups::add_count(std::uint64_t twins) {
    const auto [found, fresh] = groups_.try_emplace(std::string(), query_.columns().size());
    for (auto& cell : found->second) cell.count += twins;
}

json::object QueryGroups::to_row(const Row& cells) const {
    json::object row;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const auto& column = query_.columns()[i];
        const auto& cell = cells[i];
        switch (column.kind) {
            case QueryColumn::Kind::count:
                row[column.name] = cell.count;
                break;
            case QueryColumn::Kind::sum:
                row[column.name] = cell.sum;
                break;
            case QueryColumn::Kind::average:
                if (cell.count > 0) row[column.name] = cell.sum / static_cast<double>(cell.count);
                break;
            case QueryColumn::Kind::member:
            case QueryColumn::Kind::least:
            case QueryColumn::Kind::greatest:
                if (cell.kept) row[column.name] = *cell.kept;
                break;
        }
    }
    return row;
}

json::array QueryGroups::rows() const {
    json::array out;
    for (const auto& [key, cells] : groups_) out.push_back(to_row(cells));
    if (groups_.empty() && query_.groups().empty()) out.push_back(to_row(Row(query_.columns().size())));
    return out;
}

}  // namespace azure
