// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <vector>

#include "azure/message.hpp"
#include "hub/answer.hpp"

namespace hub {

/// The message of a request: its properties in the headers (hub.md 4), its body as it is.
std::expected<azure::Message, Refusal> read_message(const http::Request& request);

/// The messages of a POST to messages/events (hub.md 4): one with its properties in the headers, or a batch
/// in JSON. Refuses what is over 256 KiB with body and properties.
std::expected<std::vector<azure::Message>, Refusal> read_device_messages(const http::Request& request);

}  // namespace hub
