// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace azure {

/// "HostName=host[:port];SharedAccessKeyName=p;SharedAccessKey=k" or with DeviceId (hub.md 5.1, interfaces.md
/// 1).
struct ConnectionString {
    std::string host;  ///< without port
    std::uint16_t port = 443;
    std::string policy;
    std::string key;  ///< base64; missing padding is added
    std::string device_id;
    std::string module_id;
    std::string gateway_host;
    bool x509 = false;  ///< "x509=true": a certificate in place of the key
};
/// Names of fields in any case, unknown ones ignored. Fails with `invalid_argument`; the key enters no error.
base::Result<ConnectionString> parse_connection_string(std::string_view text);

}  // namespace azure
