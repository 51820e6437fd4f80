// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace crl {

/// Where a CRL is published: http (RFC 5280 4.2.1.13: a CRL proves itself) or https.
struct Url {
    bool tls = false;
    std::string host;  ///< without brackets
    std::uint16_t port = 80;
    std::string target;  ///< "/crl/ca.crl"
    std::string text;    ///< as given
};

/// Refuses another scheme, user data, a fragment, and what is no URL.
base::Result<Url> parse_url(std::string_view text);

}  // namespace crl
