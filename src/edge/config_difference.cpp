// SPDX-License-Identifier: Apache-2.0
#include "edge/config_difference.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/config.hpp"
#include "base/encoding.hpp"

namespace edge {
namespace {

using base::ConfigTable;
using Flat = std::map<std::string, std::string>;

// RFC 7512: pin-value is the PIN itself, pin-source where it lies.
std::string masked(std::string text) {
    constexpr std::string_view pin = "pin-value=";
    for (auto at = text.find(pin); at != std::string::npos; at = text.find(pin, at)) {
        at += pin.size();
        text.replace(at, text.find_first_of("&;?", at) - at, "(hidden)");
    }
    return text;
}

std::string shown_value(const std::string& text) {
    return fmt::format("\"{}\"", masked(text));
}

std::string label_of(ConfigTable& table) {
    if (const auto name = table.string("name"); name && !name->empty()) return *name;
    if (const auto uid = table.integer("uid", 0, 4294967294)) return fmt::format("uid {}", *uid);
    return "?";
}

void add(Flat& out, const std::string& key, const std::string& value) {
    auto [found, is_new] = out.try_emplace(key, value);
    if (!is_new) found->second += " and " + value;
}

void flatten(ConfigTable table, const std::string& prefix, Flat& out);

void flatten_array(ConfigTable& table, const std::string& key, const std::string& full, Flat& out) {
    auto tables = table.tables(key);
    for (auto& each : tables) {
        const auto label = label_of(each);
        flatten(each, fmt::format("{}[{}].", full, label), out);
    }
    if (!tables.empty()) return;
    std::vector<std::string> values;
    for (const auto& value : table.strings(key).value_or(std::vector<std::string>{}))
        values.push_back(shown_value(value));
    add(out, full, fmt::format("[{}]", fmt::join(values, ", ")));
}

void flatten(ConfigTable table, const std::string& prefix, Flat& out) {
    for (const auto& key : table.keys()) {
        const auto full = prefix + key;
        switch (table.kind(key)) {
            case ConfigTable::Kind::text:
                add(out, full, shown_value(*table.string(key)));
                break;
            case ConfigTable::Kind::table:
                flatten(*table.table(key), full + ".", out);
                break;
            case ConfigTable::Kind::array:
                flatten_array(table, key, full, out);
                break;
            default:
                if (const auto number = table.integer(key, INT64_MIN, INT64_MAX))
                    add(out, full, fmt::to_string(*number));
                else if (const auto flag = table.boolean(key))
                    add(out, full, *flag ? "true" : "false");
        }
    }
}

// A file that was damaged by hand counts as empty: it is replaced whole.
Flat flat(const std::string& text) {
    Flat out;
    if (auto table = ConfigTable::parse(text, "service file")) flatten(*std::move(table), "", out);
    return out;
}

bool is_password(std::string_view key) {
    return key == "password" || key.ends_with(".password");
}

std::optional<std::string> value_of(const Flat& from, const std::string& key) {
    const auto found = from.find(key);
    return found == from.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::vector<Difference> differences(const std::map<Service, std::string>& present,
                                    const std::map<Service, std::string>& wanted) {
    std::vector<Difference> out;
    for (const auto& [service, text] : wanted) {
        const auto found = present.find(service);
        const auto before = flat(found == present.end() ? "" : found->second);
        const auto after = flat(text);
        Flat all = after;
        all.insert(before.begin(), before.end());
        for (const auto& [key, ignored] : all) {
            auto old_value = value_of(before, key), new_value = value_of(after, key);
            if (old_value == new_value) continue;
            if (is_password(key)) {
                for (auto* value : {&old_value, &new_value})
                    if (*value) *value = "(hidden)";
            }
            out.push_back({service, key, std::move(old_value), std::move(new_value)});
        }
    }
    return out;
}

}  // namespace edge
