// SPDX-License-Identifier: Apache-2.0
#include "base/secret.hpp"

#include <cstring>

namespace base {

void wipe(void* memory, std::size_t size) noexcept {
    if (size != 0) explicit_bzero(memory, size);
}

SecretBytes::SecretBytes(std::string_view text) : SecretBytes(std::as_bytes(std::span(text))) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
        wipe();
        bytes_ = std::move(other.bytes_);
        other.bytes_.clear();
    }
    return *this;
}

std::string_view SecretBytes::text() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
}

void SecretBytes::wipe() noexcept {
    base::wipe(bytes_.data(), bytes_.size());
    bytes_.clear();
}

bool operator==(const SecretBytes& a, const SecretBytes& b) {
    return equal_constant_time(a.bytes(), b.bytes());
}

bool equal_constant_time(std::span<const std::byte> a, std::span<const std::byte> b) {
    if (a.size() != b.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) difference |= std::to_integer<unsigned>(a[i] ^ b[i]);
    return difference == 0;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
    return equal_constant_time(std::as_bytes(std::span(a)), std::as_bytes(std::span(b)));
}

}  // namespace base
