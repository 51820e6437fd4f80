// SPDX-License-Identifier: Apache-2.0
#include "ca/name_template.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"

namespace ca {
namespace {

constexpr std::string_view any_text = "{any}";

/// The pattern as literal pieces between which anything may stand; not usable where a value is missing.
std::vector<std::string> pieces_of(std::string_view pattern, const NameValues& values, bool& usable) {
    std::vector<std::string> pieces(1);
    usable = true;
    const auto add = [&](std::string_view value) {
        if (value.empty()) usable = false;
        pieces.back() += value;
    };
    while (!pattern.empty()) {
        if (pattern.starts_with(any_text)) {
            pieces.emplace_back();
            pattern.remove_prefix(any_text.size());
        } else if (pattern.starts_with("{device}")) {
            add(values.device);
            pattern.remove_prefix(8);
        } else if (pattern.starts_with("{device_lower}")) {
            add(base::to_lower(values.device));
            pattern.remove_prefix(14);
        } else if (pattern.starts_with("{cn}")) {
            add(values.common_name);
            pattern.remove_prefix(4);
        } else {
            pieces.back() += pattern.front();
            pattern.remove_prefix(1);
        }
    }
    return pieces;
}

}  // namespace

base::Status check_template(std::string_view pattern) {
    const auto refuse = [&](std::string reason) {
        return base::fail(base::Code::invalid_argument, fmt::format("template \"{}\"", pattern),
                          std::move(reason), "use {device}, {device_lower}, {cn} and {any}");
    };
    if (pattern.empty()) return refuse("is empty");
    for (auto rest = pattern; !rest.empty();) {
        const auto open = rest.find('{');
        if (open == std::string_view::npos) break;
        rest.remove_prefix(open);
        const auto word = rest.substr(0, rest.find('}') + 1);
        if (word != any_text && word != "{device}" && word != "{device_lower}" && word != "{cn}")
            return refuse("has a placeholder that is not known");
        rest.remove_prefix(word.size());
    }
    return {};
}

bool template_matches(std::string_view pattern, std::string_view name, const NameValues& values) {
    bool usable = false;
    const auto pieces = pieces_of(pattern, values, usable);
    if (!usable) return false;
    if (pieces.size() == 1) return name == pieces.front();
    if (!name.starts_with(pieces.front())) return false;
    auto rest = name.substr(pieces.front().size());
    for (std::size_t i = 1; i + 1 < pieces.size(); ++i) {
        if (rest.empty()) return false;
        const auto at = rest.find(pieces[i], 1);
        if (at == std::string_view::npos) return false;
        rest.remove_prefix(at + pieces[i].size());
    }
    return rest.size() > pieces.back().size() && rest.ends_with(pieces.back());
}

bool is_open_template(std::string_view pattern) {
    return pattern.find(any_text) != std::string_view::npos;
}

}  // namespace ca
