// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "azure/documents.hpp"
#include "base/error.hpp"

namespace azure {

/// UTC, to the millisecond, as base::Clock gives it.
using Moment = std::chrono::sys_time<std::chrono::milliseconds>;

/// Desired or reported properties of a twin.
struct TwinProperties {
    boost::json::object values;    ///< without $metadata and $version
    boost::json::object metadata;  ///< mirrors `values`; $lastUpdated (desired: $lastUpdatedVersion) at each
    std::int64_t version = 1;
    bool operator==(const TwinProperties&) const = default;
};

/// The twin of a device or module, without what its identity says already (hub.md 5.5).
struct Twin {
    std::string generation;     ///< of the identity that it belongs to
    std::uint64_t counter = 1;  ///< of writes by services; the etag is made of it
    std::int64_t version = 2;   ///< counts writes of tags and desired
    std::string model_id;       ///< that the device connected with
    boost::json::object tags;
    TwinProperties desired;
    TwinProperties reported;
    /// Bare base64 text of the counter's eight octets.
    std::string etag() const;
    bool operator==(const Twin&) const = default;
};
/// That of an identity made now.
Twin make_twin(std::string generation, Moment now);

/// What a service write asks for; a section that is not given stays as it is. All rules but the sizes have
/// been checked.
struct TwinWish {
    std::optional<boost::json::object> tags;
    std::optional<boost::json::object> desired;
    std::optional<std::int64_t> desired_version;  ///< fail unless this is the current one
};
/// Reads the body of a PATCH or PUT. `reported`, `$metadata` and identity members are ignored, null is as
/// good as absent. Errors: `malformed` where it is no JSON object, else `invalid_argument` with the path as
/// the thing.
base::Result<TwinWish> parse_twin(std::string_view json);
/// Reads a device's patch of its reported properties; errors as above.
base::Result<boost::json::object> parse_reported(std::string_view json);

/// The rules of keys, strings, integers and depth (hub.md 5.5) for what is to be written under `path`
/// ("tags", "properties.desired"); null may stand anywhere outside an array. `invalid_argument` names the
/// place.
base::Status check_twin_values(const boost::json::object& values, const std::string& path);
/// The size that counts against the limits: keys as UTF-8, strings without control characters, numbers 8,
/// booleans 4 octets.
std::size_t twin_size(const boost::json::object& values);
inline constexpr std::size_t largest_tags = 8 * 1024;
inline constexpr std::size_t largest_properties = 32 * 1024;

/// patch: a JSON merge patch (RFC 7396), null deletes. replace: of each section given, the whole.
enum class TwinWrite { patch, replace };
/// What a write has touched. An empty patch touches nothing.
struct TwinTouched {
    bool tags = false;
    bool desired = false;
    bool any() const { return tags || desired; }
};
/// Writes tags and desired properties, with versions, counter and metadata. `precondition_failed` for
/// another $version, `invalid_argument` for a section that would become too large; the twin is then as
/// before.
base::Result<TwinTouched> write_twin(Twin& twin, const TwinWish& wish, TwinWrite how, Moment now);
/// Merges a device's patch into its reported properties; false where it was empty.
base::Result<bool> write_reported(Twin& twin, const boost::json::object& patch, Moment now);

/// The twin as the service API shows it, with the identity's own members around (hub.md 5.5).
boost::json::object to_value(const Twin& twin, const Device& device);
boost::json::object to_value(const Twin& twin, const Module& module);
std::string to_json(const Twin& twin, const Device& device);
std::string to_json(const Twin& twin, const Module& module);
/// Properties as the service shows them: values, $metadata, $version.
boost::json::object to_value(const TwinProperties& properties);
/// What a patch has written, as a twin change event shows it: with the $metadata of its members alone.
boost::json::object patched_value(const boost::json::object& patch, const TwinProperties& after);
/// What a device gets for its GET (hub.md 3.3): both properties with $version, no metadata.
std::string device_twin_json(const Twin& twin);
/// The body of a desired notification: what was written, with $version.
std::string desired_notification(const boost::json::object& written, std::int64_t version);

}  // namespace azure
