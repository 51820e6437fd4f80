// SPDX-License-Identifier: Apache-2.0
#include "trust/identity.hpp"

#include <algorithm>

namespace trust {
namespace {

constexpr std::size_t longest_id = 128;

bool is_id_character(char c) {
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return alphanumeric || std::string_view("-:.+%_#*?!(),=@;$'").find(c) != std::string_view::npos;
}

}  // namespace

base::Status check_id(std::string_view id, std::string_view kind) {
    if (id.empty()) return base::fail(base::Code::invalid_argument, std::string(kind), "is empty");
    if (id.size() > longest_id)
        return base::fail(base::Code::invalid_argument, std::string(kind),
                          "has " + std::to_string(id.size()) + " characters", "use at most 128");
    const auto bad = std::find_if_not(id.begin(), id.end(), is_id_character);
    if (bad != id.end())
        return base::fail(
            base::Code::invalid_argument, std::string(kind),
            "has a character that is not allowed at position " + std::to_string(bad - id.begin() + 1),
            "use ASCII letters, digits and - : . + % _ # * ? ! ( ) , = @ ; $ '");
    return {};
}

}  // namespace trust
