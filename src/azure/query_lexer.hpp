// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace azure::query {

struct Token {
    enum class Kind {
        word,    ///< a name or keyword as it stands
        name,    ///< a name in [[ ]]: never a keyword
        text,    ///< a string, its escapes resolved
        number,  ///< in `value`
        symbol,  ///< . , ( ) [ ] * = != <> < > <= >=
        end
    };
    Kind kind = Kind::end;
    std::string text;
    boost::json::value value;
    std::size_t position = 1;  ///< in the query, from 1
};

/// An error at a place of the query.
std::unexpected<base::Error> fail_at(std::size_t position, std::string reason, std::string fix = {});

/// The tokens of a query, the last of kind `end`. Strings stand in single or double quotes; inside them a
/// backslash escapes as in JSON, and a doubled quote stands for one.
base::Result<std::vector<Token>> tokens_of(std::string_view query);

}  // namespace azure::query
