// SPDX-License-Identifier: Apache-2.0
#include "trust/sas_token.hpp"

#include <algorithm>
#include <charconv>

#include "base/secret.hpp"
#include "pki/digest.hpp"

namespace trust {
namespace {

constexpr std::string_view scheme = "SharedAccessSignature ";
// A token of the longest host, ids and policy, each character encoded twice, stays well below this.
constexpr std::size_t longest_token = 8192;
constexpr std::int64_t end_of_year_9999 = 253402300799;

std::unexpected<base::Error> malformed(std::string reason) {
    return base::fail(base::Code::malformed, "SAS token", std::move(reason),
                      "the form is: SharedAccessSignature sr=...&sig=...&se=...");
}

std::optional<std::string> signature_of(std::string_view key_base64, std::string_view text) {
    auto key = base::from_base64(key_base64);
    if (!key || key->empty()) return std::nullopt;
    const auto mac = pki::hmac_sha256(*key, base::as_bytes(text));
    base::wipe(key->data(), key->size());
    return base::to_base64(mac);
}

bool is_host(std::string_view segment, std::span<const std::string> hosts) {
    return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& host) {
        if (segment.size() < host.size() || !base::equal_ignoring_case(segment.substr(0, host.size()), host))
            return false;
        const auto port = segment.substr(host.size());
        return port.empty() || (port.size() > 1 && port.size() <= 6 && port[0] == ':' &&
                                port.find_first_not_of("0123456789", 1) == std::string_view::npos);
    });
}

bool is_segment(std::string_view given, std::string_view wanted) {
    if (base::equal_ignoring_case(given, wanted)) return true;
    // edgeHub, edgeAgent and the C# SDK encode the ids first and then the whole (hub.md 2.3).
    const auto decoded = base::percent_decode(given);
    return decoded && base::equal_ignoring_case(*decoded, wanted);
}

/// The segments of the wanted path that the resource names; nullopt where it names something else.
std::optional<std::size_t> matched(const std::string& resource, std::span<const std::string_view> wanted,
                                   std::span<const std::string> hosts) {
    const auto decoded = base::percent_decode(resource);
    if (!decoded) return std::nullopt;
    auto given = base::split(*decoded, '/');
    // An old editor extension put the query string into the resource.
    if ((given.size() == 4 || given.size() == 6) && given.back().starts_with("api-version="))
        given.pop_back();
    if (!is_host(given[0], hosts) || given.size() - 1 > wanted.size()) return std::nullopt;
    for (std::size_t i = 1; i < given.size(); ++i)
        if (!is_segment(given[i], wanted[i - 1])) return std::nullopt;
    return given.size() - 1;
}

std::vector<std::string_view> segments_behind_host(std::string_view path,
                                                   std::span<const std::string> hosts) {
    if (path.empty()) return {};
    auto segments = base::split(path, '/');
    if (is_host(segments[0], hosts)) segments.erase(segments.begin());
    return segments;
}

base::Status take(std::optional<std::string>& field, std::string_view name, std::string_view value) {
    if (field) return malformed("has the field " + std::string(name) + " twice");
    field = std::string(value);
    return {};
}

}  // namespace

base::Result<SasToken> SasToken::parse(std::string_view text) {
    if (text.size() > longest_token)
        return malformed("is longer than " + std::to_string(longest_token) + " octets");
    if (!text.starts_with(scheme)) return malformed("does not start with \"SharedAccessSignature \"");
    std::optional<std::string> resource, signature, expiry, policy;
    for (const auto field : base::split(text.substr(scheme.size()), '&')) {
        const auto equals = field.find('=');
        if (equals == std::string_view::npos) return malformed("has a field without a value");
        const auto name = base::to_lower(field.substr(0, equals));
        const auto value = field.substr(equals + 1);
        base::Status taken;
        if (name == "sr") taken = take(resource, name, value);
        if (name == "sig") taken = take(signature, name, value);
        if (name == "se") taken = take(expiry, name, value);
        if (name == "skn") taken = take(policy, name, value);
        if (!taken) return std::unexpected(taken.error());
    }
    if (!resource || resource->empty()) return malformed("has no sr");
    if (!signature || signature->empty()) return malformed("has no sig");
    if (!expiry || expiry->empty()) return malformed("has no se");
    if (!base::percent_decode(*resource)) return malformed("has a bad percent escape in sr");

    SasToken token{.resource = *resource, .signature = {}, .expiry = *expiry, .policy = std::nullopt};
    auto decoded = base::percent_decode(*signature);
    if (!decoded) return malformed("has a bad percent escape in sig");
    token.signature = *std::move(decoded);
    // Some SDKs write an empty skn where they mean none.
    if (policy && !policy->empty()) {
        token.policy = base::percent_decode(*policy);
        if (!token.policy) return malformed("has a bad percent escape in skn");
    }
    return token;
}

std::optional<base::Instant> SasToken::expires() const {
    std::int64_t seconds = 0;
    const auto* end = expiry.data() + expiry.size();
    const auto [stopped, problem] = std::from_chars(expiry.data(), end, seconds);
    if (problem != std::errc{} || stopped != end || seconds < 0 || seconds > end_of_year_9999)
        return std::nullopt;
    return base::Instant(std::chrono::seconds(seconds));
}

bool SasToken::signed_by(std::string_view key_base64) const {
    const auto wanted = signature_of(key_base64, resource + "\n" + expiry);
    return wanted && base::equal_constant_time(std::string_view(*wanted), std::string_view(signature));
}

bool SasToken::covers(std::string_view wanted_path, std::span<const std::string> hosts) const {
    return matched(resource, segments_behind_host(wanted_path, hosts), hosts).has_value();
}

bool SasToken::names(std::string_view wanted_path, std::span<const std::string> hosts) const {
    const auto wanted = segments_behind_host(wanted_path, hosts);
    return matched(resource, wanted, hosts) == wanted.size();
}

std::string resource_path(const Identity& identity) {
    auto path = "devices/" + identity.device;
    if (identity.is_module()) path += "/modules/" + identity.module;
    return path;
}

std::string UnsignedToken::to_sign() const {
    return resource + "\n" + expiry;
}

std::string UnsignedToken::finish(std::string_view signature_base64) const {
    auto text = std::string(scheme) + "sr=" + resource + "&sig=" + base::percent_encode(signature_base64) +
                "&se=" + expiry;
    if (!policy.empty()) text += "&skn=" + base::percent_encode(policy);
    return text;
}

UnsignedToken unsigned_token(std::string_view resource, base::Instant expires, std::string_view policy) {
    return {.resource = base::percent_encode(resource),
            .expiry = std::to_string(expires.time_since_epoch().count()),
            .policy = std::string(policy)};
}

base::Result<std::string> make_sas_token(std::string_view resource, std::string_view key_base64,
                                         base::Instant expires, std::string_view policy) {
    const auto token = unsigned_token(resource, expires, policy);
    const auto signature = signature_of(key_base64, token.to_sign());
    if (!signature)
        return base::fail(base::Code::invalid_argument, "shared access key", "is not base64",
                          "copy the key whole, with its padding");
    return token.finish(*signature);
}

}  // namespace trust
