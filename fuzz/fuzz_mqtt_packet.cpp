// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "mqtt/packet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto decoded = mqtt::decode(bytes);
    if (!decoded || !*decoded) return 0;
    const auto& [packet, consumed] = **decoded;
    if (consumed > size || mqtt::packet_size(bytes).value() != consumed) std::abort();
    const auto* connect = std::get_if<mqtt::Connect>(&packet);
    if (connect != nullptr && (connect->level != 4 || connect->protocol != "MQTT")) return 0;
    const auto again = mqtt::encode(packet);
    if (!std::ranges::equal(again, bytes.first(consumed))) std::abort();
    return 0;
}
