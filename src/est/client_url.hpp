// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace est {

/// Where an EST server is asked: the prefix of its operations, used as it stands (est-and-pki.md 7.1).
struct Url {
    std::string host;  ///< a DNS name, or an address without brackets
    std::uint16_t port = 443;
    std::string path;  ///< "/.well-known/est/device"; without a slash at the end, empty for none

    std::string origin() const;  ///< "https://est.example:9443"
    std::string text() const { return origin() + path; }
    friend bool operator==(const Url&, const Url&) = default;
};

/// Reads "https://host[:port][/path]". Refuses http:// (a key could be certified to anybody on the way),
/// user names in it, queries and fragments; invalid_argument.
base::Result<Url> parse_url(std::string_view text);

}  // namespace est
