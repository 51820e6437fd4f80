// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azure/errors.hpp"
#include "azure/twin.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"

namespace azure {

/// A configuration, alias deployment (hub.md 5.7). JSON parts are kept as they came.
struct Configuration {
    std::string id;
    std::string schema_version = "1.0";
    boost::json::object labels;
    boost::json::object content;
    std::string target_condition;
    std::int64_t priority = 0;
    boost::json::object metric_queries;  ///< name to query text
    base::Instant created{};
    base::Instant updated{};
    std::string etag;
};

/// An error of a configuration that has a code of its own.
struct ConfigurationError {
    ErrorCode code;
    std::string text;
};
template <class T>
using ConfigurationResult = std::expected<T, ConfigurationError>;

/// 1 to 128 of lower-case letters, digits and - + % _ * ! '.
ConfigurationResult<void> check_configuration_id(std::string_view id);

/// The body of a PUT; read-only members are ignored. Condition, queries, content and labels are checked.
ConfigurationResult<Configuration> parse_configuration(std::string_view document);

std::string to_json(const Configuration& configuration);
std::string to_json(const std::vector<Configuration>& configurations);

/// "" (nobody), "*" (everybody), a condition over device twins, or `FROM devices.modules WHERE ...`.
base::Status check_target_condition(std::string_view text);

/// The answer of testQueries: what is wrong with each. `malformed` where the body is no JSON object,
/// invalid_argument where it has something else than texts.
base::Result<std::string> test_queries(std::string_view document);

/// What a content says about one identity's desired properties.
struct DesiredContent {
    std::string module;                                             ///< empty: the device itself
    std::optional<boost::json::object> whole;                       ///< replaces the section
    std::vector<std::pair<std::string, boost::json::value>> parts;  ///< dotted path below it, and its value
};

/// The content that is applied to a device: members `modulesContent` and `deviceContent`, whose keys are
/// `properties.desired` or `properties.desired.a.b`.
ConfigurationResult<std::vector<DesiredContent>> parse_content(std::string_view document);

/// The write that applies the content to desired values `before`: the whole section, or a patch that leaves
/// the rest untouched. `invalid_argument` where a twin cannot hold it.
struct DesiredWrite {
    TwinWish wish;
    TwinWrite how = TwinWrite::patch;
};
base::Result<DesiredWrite> apply_content(const DesiredContent& content, const boost::json::object& before);

}  // namespace azure
