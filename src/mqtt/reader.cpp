// SPDX-License-Identifier: Apache-2.0
#include "mqtt/reader.hpp"

#include "base/result.hpp"

namespace mqtt {

std::unexpected<base::Error> Reader::too_short(std::string_view field) const {
    return fail(std::string(field) + " goes past the end of the packet (MQTT 3.1.1 section 2.2.3)");
}

base::Result<std::uint8_t> Reader::byte(std::string_view field) {
    if (rest_.empty()) return too_short(field);
    const auto value = std::to_integer<std::uint8_t>(rest_[0]);
    rest_ = rest_.subspan(1);
    return value;
}

base::Result<std::uint16_t> Reader::number(std::string_view field) {
    if (rest_.size() < 2) return too_short(field);
    const unsigned value = std::to_integer<unsigned>(rest_[0]) << 8 | std::to_integer<unsigned>(rest_[1]);
    rest_ = rest_.subspan(2);
    return static_cast<std::uint16_t>(value);
}

base::Result<std::uint16_t> Reader::packet_id(std::string_view section) {
    SP_TRY(return, const auto id, number("packet id"));
    if (id == 0) return fail("packet id is 0 (" + std::string(section) + ")");
    return id;
}

base::Result<std::span<const std::byte>> Reader::data(std::string_view field) {
    SP_TRY(return, const std::size_t size, number(field));
    if (rest_.size() < size) return too_short(field);
    const auto found = rest_.first(size);
    rest_ = rest_.subspan(size);
    return found;
}

base::Result<std::string> Reader::text(std::string_view field) {
    SP_TRY(return, const auto bytes, data(field));
    const auto found = base::as_text(bytes);
    if (!base::is_utf8(found)) return fail(std::string(field) + " is not UTF-8 (MQTT-1.5.3-1)");
    if (found.find('\0') != found.npos) return fail(std::string(field) + " holds U+0000 (MQTT-1.5.3-2)");
    return std::string(found);
}

std::span<const std::byte> Reader::rest() {
    const auto all = rest_;
    rest_ = {};
    return all;
}

base::Status Reader::end() const {
    if (rest_.empty()) return {};
    return fail("has " + std::to_string(rest_.size()) +
                " bytes behind its last field (MQTT 3.1.1 section 2.2.3)");
}

}  // namespace mqtt
