// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azure/message.hpp"

namespace azure {

/// The application property that says which feedback a sender wants.
inline constexpr std::string_view acknowledgement = "iothub-ack";

/// Takes one HTTP header of a message over: `iothub-app-{name}` becomes an application property, those of
/// hub.md 4 system properties (`iothub-ack` the application property that it is over MQTT). Other headers are
/// none of the message's. The first of two equal names counts, as in a property bag. Fails with `malformed`
/// where the value is not UTF-8 or the property has no name.
base::Status add_message_header(Message& message, std::string_view header, std::string value);

/// The properties of a message as headers, the way back. A property name that may not stand in a header, and
/// a value with anything but printable ASCII, are percent-encoded.
std::vector<std::pair<std::string, std::string>> message_headers(const Message& message);

}  // namespace azure
