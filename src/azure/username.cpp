// SPDX-License-Identifier: Apache-2.0
#include "azure/username.hpp"

#include <array>

#include "base/encoding.hpp"
#include "base/result.hpp"

namespace azure {
namespace {

std::unexpected<base::Error> bad_user_name(std::string segment, std::string reason) {
    return base::fail(base::Code::malformed, "user name", "has a bad " + std::move(segment) + ": " + reason,
                      "use HOST/DEVICE[/MODULE]/?api-version=2021-04-12");
}

base::Status check(std::string_view id, std::string_view kind) {
    if (auto known = trust::check_id(id, kind); !known)
        return bad_user_name(std::string(kind), known.error().reason);
    return {};
}

// One old .NET client; its parameters are split by slashes (hub.md 2.2).
constexpr std::string_view legacy_end =
    "/api-version=2017-06-30/DeviceClientType=Microsoft.Azure.Devices.Client/1.5.1-preview-003";

base::Status read_parameter(Claim& claim, std::array<bool, 4>& seen, std::string_view parameter) {
    const std::array<std::pair<std::string_view, std::string*>, 4> known = {
        {{"api-version", &claim.api_version},
         {"DeviceClientType", &claim.client_type},
         {"model-id", &claim.model_id},
         {"auth-chain", &claim.auth_chain}}};
    const auto equals = parameter.find('=');
    const auto name = parameter.substr(0, equals);
    for (std::size_t i = 0; i < known.size(); ++i) {
        if (known[i].first != name || seen[i]) continue;
        seen[i] = true;
        const auto encoded = equals == parameter.npos ? std::string_view{} : parameter.substr(equals + 1);
        auto value = base::percent_decode(encoded);
        if (!value)
            return bad_user_name(std::string(name), "a percent sign is not followed by two hex digits");
        if (!base::is_utf8(*value) || value->find('\0') != value->npos)
            return bad_user_name(std::string(name), "the decoded value is not text");
        *known[i].second = std::move(*value);
    }
    return {};
}

}  // namespace

base::Result<Claim> parse_username(std::string_view text) {
    Claim claim;
    auto segments = base::split(text, '/');
    std::string_view parameters;
    if (segments.size() == 6 && text.ends_with(legacy_end)) {
        claim.api_version = "2017-06-30";
        claim.client_type = "Microsoft.Azure.Devices.Client/1.5.1-preview-003";
        segments.resize(3);
    } else if (segments.size() == 3 || segments.size() == 4) {
        parameters = segments.back();
        segments.pop_back();
    } else {
        return bad_user_name("number of segments",
                             std::to_string(segments.size()) + ", not 3 (device) or 4 (module)");
    }
    claim.host = segments[0];
    if (claim.host.empty()) return bad_user_name("host", "it is empty");
    claim.identity.device = segments[1];
    if (auto good = check(segments[1], "device id"); !good) return std::unexpected(good.error());
    if (segments.size() == 3) {
        claim.identity.module = segments[2];
        if (auto good = check(segments[2], "module id"); !good) return std::unexpected(good.error());
    }
    if (parameters.starts_with('?')) parameters.remove_prefix(1);
    std::array<bool, 4> seen{};
    while (!parameters.empty()) {
        const auto end = parameters.find('&');
        auto good = read_parameter(claim, seen, parameters.substr(0, end));
        if (!good) return std::unexpected(good.error());
        parameters = end == parameters.npos ? std::string_view{} : parameters.substr(end + 1);
    }
    return claim;
}

std::string make_username(const Claim& claim) {
    const std::string version = claim.api_version.empty() ? "2021-04-12" : claim.api_version;
    auto text = claim.host + "/" + claim.identity.text() + "/?api-version=" + base::percent_encode(version);
    if (!claim.client_type.empty()) text += "&DeviceClientType=" + base::percent_encode(claim.client_type);
    if (!claim.model_id.empty()) text += "&model-id=" + base::percent_encode(claim.model_id);
    if (!claim.auth_chain.empty()) text += "&auth-chain=" + base::percent_encode(claim.auth_chain);
    return text;
}

std::string host_without_port(std::string_view host) {
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        return base::to_lower(end == host.npos ? host : host.substr(1, end - 1));
    }
    const auto colon = host.find(':');
    // More than one colon is an IPv6 address without brackets, which has no port.
    if (colon != host.npos && host.find(':', colon + 1) == host.npos) host = host.substr(0, colon);
    return base::to_lower(host);
}

}  // namespace azure
