// SPDX-License-Identifier: Apache-2.0
#include "pki/serial.hpp"

#include <algorithm>

#include "pki/openssl.hpp"

namespace pki {

std::optional<Serial> Serial::from_content(std::span<const std::byte> content) {
    if (content.empty() || content.size() > most) return std::nullopt;
    if (content.size() > 1) {
        const bool high = (content[1] & std::byte{0x80}) != std::byte{0};
        if (content[0] == (high ? std::byte{0xff} : std::byte{0})) return std::nullopt;
    }
    Serial serial;
    std::ranges::copy(content, serial.octets_.begin());
    serial.size_ = static_cast<std::uint8_t>(content.size());
    return serial;
}

std::optional<Serial> Serial::from_hex(std::string_view hex) {
    const auto digits = hex.find_first_not_of('0');
    if (digits == std::string_view::npos) return std::nullopt;
    std::string even(hex.substr(digits));
    if (even.size() % 2 != 0) even.insert(even.begin(), '0');
    auto octets = base::from_hex(even);
    if (!octets) return std::nullopt;
    if ((octets->front() & std::byte{0x80}) != std::byte{0}) octets->insert(octets->begin(), std::byte{0});
    return from_content(*octets);
}

std::optional<Serial> Serial::of(const Certificate& certificate) {
    // OpenSSL holds sign and amount apart; the encoding is what CRLs compare.
    const auto der = to_der<const ASN1_INTEGER>(
        X509_get0_serialNumber(certificate.handle()),
        [](const ASN1_INTEGER* number, unsigned char** out) { return i2d_ASN1_INTEGER(number, out); });
    constexpr std::size_t short_header = 2;
    if (der.size() < short_header || der.size() > short_header + most) return std::nullopt;
    return from_content(std::span(der).subspan(short_header));
}

std::string Serial::hex() const {
    auto octets = content();
    if (octets.size() > 1 && octets.front() == std::byte{0}) octets = octets.subspan(1);
    return base::to_hex(octets);
}

}  // namespace pki
