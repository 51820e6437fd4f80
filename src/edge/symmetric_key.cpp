// SPDX-License-Identifier: Apache-2.0
#include "edge/symmetric_key.hpp"

#include "edge/local_api.hpp"
#include "pki/digest.hpp"

namespace edge {
namespace {

class KeyInMemory final : public SymmetricKey {
  public:
    explicit KeyInMemory(base::SecretBytes bytes) : bytes_(std::move(bytes)) {}

    base::Result<base::Bytes> hmac_sha256(std::span<const std::byte> message) const override {
        const auto mac = pki::hmac_sha256(bytes_.bytes(), message);
        return base::Bytes(mac.begin(), mac.end());
    }
    base::Result<base::Bytes> seal(std::span<const std::byte> iv, std::span<const std::byte> additional,
                                   std::span<const std::byte> plaintext) const override {
        if (auto fits = check_size(); !fits) return std::unexpected(fits.error());
        return pki::aead_seal(bytes_.bytes(), iv, additional, plaintext);
    }
    base::Result<base::SecretBytes> open(std::span<const std::byte> iv, std::span<const std::byte> additional,
                                         std::span<const std::byte> sealed) const override {
        if (auto fits = check_size(); !fits) return std::unexpected(fits.error());
        return pki::aead_open(bytes_.bytes(), iv, additional, sealed);
    }

  private:
    // AES-256 needs 32 octets; an imported key of another length cannot be used.
    base::Status check_size() const {
        if (bytes_.size() == 32) return {};
        return bad_parameter("mechanism", "AEAD needs a key of 32 octets");
    }
    base::SecretBytes bytes_;
};

}  // namespace

SymmetricKeyPtr key_in_memory(base::SecretBytes bytes) {
    return std::make_unique<KeyInMemory>(std::move(bytes));
}

}  // namespace edge
