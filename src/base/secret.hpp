// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace base {

/// Bytes that are secret by type: wiped when released, moved and never copied by accident, compared in
/// constant time. There is no formatter, so a log line with one does not compile.
class SecretBytes {
  public:
    SecretBytes() = default;
    explicit SecretBytes(std::size_t size) : bytes_(size) {}
    explicit SecretBytes(std::span<const std::byte> bytes) : bytes_(bytes.begin(), bytes.end()) {}
    explicit SecretBytes(std::string_view text);
    SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
    SecretBytes& operator=(SecretBytes&& other) noexcept;
    SecretBytes(const SecretBytes&) = delete;
    SecretBytes& operator=(const SecretBytes&) = delete;
    ~SecretBytes() { wipe(); }

    /// A deliberate second copy, for a second owner.
    SecretBytes clone() const { return SecretBytes(std::span(bytes_)); }

    std::span<const std::byte> bytes() const { return bytes_; }
    std::span<std::byte> mutable_bytes() { return bytes_; }
    std::string_view text() const;
    std::size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }
    void wipe() noexcept;

    friend bool operator==(const SecretBytes& a, const SecretBytes& b);

  private:
    std::vector<std::byte> bytes_;
};

/// Compares without telling by time where the two differ. Different sizes are unequal at once.
bool equal_constant_time(std::span<const std::byte> a, std::span<const std::byte> b);
bool equal_constant_time(std::string_view a, std::string_view b);
/// Overwrites memory in a way that the compiler may not leave out.
void wipe(void* memory, std::size_t size) noexcept;

}  // namespace base
