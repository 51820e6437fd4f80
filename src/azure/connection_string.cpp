// SPDX-License-Identifier: Apache-2.0
#include "azure/connection_string.hpp"

#include <charconv>
#include <map>

#include "azure/username.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"

namespace azure {
namespace {

std::unexpected<base::Error> bad_connection_string(std::string reason, std::string fix = {}) {
    return base::fail(base::Code::invalid_argument, "connection string", std::move(reason), std::move(fix));
}

constexpr auto form = "HostName=HOST[:PORT];SharedAccessKeyName=POLICY;SharedAccessKey=KEY";

base::Result<std::uint16_t> read_port(std::string_view text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value == 0 || value > 65'535)
        return bad_connection_string("has the port \"" + std::string(text) + "\" in HostName",
                                     "use a number from 1 to 65535");
    return static_cast<std::uint16_t>(value);
}

/// Missing padding is added. The key itself enters no error.
base::Result<std::string> read_key(std::string_view text) {
    std::string key(text);
    while (key.size() % 4 != 0) key += '=';
    const auto bytes = base::from_base64(key);
    if (!bytes || bytes->empty()) return bad_connection_string("has a SharedAccessKey that is not base64");
    return key;
}

}  // namespace

base::Result<ConnectionString> parse_connection_string(std::string_view text) {
    std::map<std::string, std::string_view> fields;
    for (const auto part : base::split(base::trim(text), ';')) {
        if (part.empty()) continue;
        const auto equals = part.find('=');
        if (equals == part.npos)
            return bad_connection_string("has a part without '='", std::string("use the form ") + form);
        auto key = base::to_lower(base::trim(part.substr(0, equals)));
        if (!fields.emplace(key, base::trim(part.substr(equals + 1))).second)
            return bad_connection_string("has " + std::string(part.substr(0, equals)) + " twice");
    }
    const auto field = [&](const char* name) {
        const auto found = fields.find(name);
        return found == fields.end() ? std::string_view{} : found->second;
    };

    ConnectionString read;
    const auto host = field("hostname");
    if (host.empty()) return bad_connection_string("has no HostName", std::string("use the form ") + form);
    read.host = host_without_port(host);
    if (read.host.empty()) return bad_connection_string("has no name in HostName");
    const auto colon = host.rfind(':');
    const bool has_port =
        host.starts_with('[') ? host.find("]:") != host.npos : colon != host.npos && host.find(':') == colon;
    if (has_port) {
        SP_TRY(return, read.port, read_port(host.substr(colon + 1)));
    }
    read.policy = field("sharedaccesskeyname");
    read.device_id = field("deviceid");
    read.module_id = field("moduleid");
    read.gateway_host = field("gatewayhostname");
    read.x509 = base::equal_ignoring_case(field("x509"), "true");
    if (read.policy.empty() && read.device_id.empty())
        return bad_connection_string("has neither SharedAccessKeyName nor DeviceId",
                                     std::string("use the form ") + form);
    if (!read.module_id.empty() && read.device_id.empty())
        return bad_connection_string("has a ModuleId without a DeviceId");
    if (const auto key = field("sharedaccesskey"); !key.empty()) {
        SP_TRY(return, read.key, read_key(key));
    } else if (!read.x509) {
        return bad_connection_string("has no SharedAccessKey", std::string("use the form ") + form);
    }
    return read;
}

}  // namespace azure
