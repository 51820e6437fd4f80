// SPDX-License-Identifier: Apache-2.0
#include "trust/record.hpp"

#include <utility>

namespace trust {
namespace {

constexpr std::size_t sha1_size = 20;
constexpr std::size_t sha256_size = 32;

constexpr std::pair<AuthType, std::string_view> type_names[] = {
    {AuthType::none, "none"},
    {AuthType::sas, "sas"},
    {AuthType::self_signed, "selfSigned"},
    {AuthType::certificate_authority, "certificateAuthority"},
};

}  // namespace

base::Result<Thumbprint> Thumbprint::parse(std::string_view text) {
    std::string digits;
    for (const char c : text)
        if (c != ':' && c != ' ' && c != '-') digits += c;
    const auto bytes = base::from_hex(digits);
    if (!bytes)
        return base::fail(base::Code::invalid_argument, "thumbprint", "is not hexadecimal",
                          "give what `openssl x509 -fingerprint -sha256` prints, with or without colons");
    if (bytes->size() != sha1_size && bytes->size() != sha256_size)
        return base::fail(base::Code::invalid_argument, "thumbprint",
                          "has " + std::to_string(digits.size()) + " hexadecimal digits",
                          "give 64 digits (SHA-256) or 40 (SHA-1)");
    return from_bytes(*bytes);
}

Thumbprint Thumbprint::from_bytes(std::span<const std::byte> bytes) {
    Thumbprint out;
    out.bytes_.assign(bytes.begin(), bytes.end());
    return out;
}

std::string_view to_string(AuthType type) {
    for (const auto& [value, name] : type_names)
        if (value == type) return name;
    return {};
}

std::optional<AuthType> parse_auth_type(std::string_view text) {
    for (const auto& [value, name] : type_names)
        if (name == text) return value;
    return std::nullopt;
}

}  // namespace trust
