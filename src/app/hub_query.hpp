// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "app/hub_client.hpp"

namespace app {

/// All rows of a query over twins (hub.md 5.6), page by page, or the first `top`.
base::Result<boost::json::array> query_rows(const HubClient& client, const std::string& query,
                                            std::optional<std::size_t> top = std::nullopt);
/// As a text of the query language.
std::string query_quoted(std::string_view text);

}  // namespace app
