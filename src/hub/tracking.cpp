// SPDX-License-Identifier: Apache-2.0
#include "hub/tracking.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "net/loop.hpp"
#include "pki/digest.hpp"

namespace hub {

namespace {

constexpr std::size_t key_octets = 16;

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

std::string make_tracking_id() {
    return base::to_hex(pki::random_bytes(key_octets)) + "-G:" + std::to_string(net::this_loop().index());
}

std::optional<std::string> tracking_key(std::string_view pasted) {
    std::optional<std::string> key;
    for (auto at = pasted.begin(); at != pasted.end();) {
        const auto start = std::find_if(at, pasted.end(), is_hex);
        at = std::find_if_not(start, pasted.end(), is_hex);
        if (at - start != 2 * static_cast<std::ptrdiff_t>(key_octets)) continue;
        if (key) return std::nullopt;
        key = base::to_lower(std::string_view(start, at));
    }
    return key;
}

}  // namespace hub
