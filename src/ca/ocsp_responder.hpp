// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "base/clock.hpp"
#include "ca/crl_books.hpp"
#include "pki/ocsp.hpp"

namespace ca {

/// Answers OCSP for what the issuing CA has issued (est-and-pki.md 6.2): "good" for a serial of the inventory
/// alone, "unknown" for one that was never issued. Signs with a certificate of its own, issued by that CA,
/// good for two weeks and renewed at two thirds. Answers without a nonce are kept for half an hour, never
/// past a revocation. From any thread.
class OcspResponder {
  public:
    /// Key and certificate lie in these files; made where they are missing or will not do.
    struct Files {
        std::filesystem::path key, certificate;
    };
    /// books, clock: outlive it.
    static base::Result<std::unique_ptr<OcspResponder>> open(CrlBooks& books, Files files,
                                                             const base::Clock& clock);

    struct Answer {
        base::Bytes der;
        /// Where others may keep it: successful and without a nonce.
        struct Cacheable {
            base::Instant produced_at, next_update;
        };
        std::optional<Cacheable> cacheable{};
    };
    Answer answer(std::span<const std::byte> request);
    /// A revocation is on disk: nothing that was kept is given out any more.
    void forget();
    /// Renews the signer's certificate at two thirds of its life.
    base::Status renew_if_due();

  private:
    struct Identity {
        pki::Certificate certificate;
        pki::PrivateKey key;
    };
    OcspResponder(CrlBooks& books, Files files, const base::Clock& clock);
    std::optional<Identity> load() const;
    base::Status renew();
    bool is_usable(const Identity& identity) const;
    std::shared_ptr<const Identity> identity() const;
    pki::OcspAnswer state_of(const pki::OcspCertId& id) const;
    base::Result<Answer> sign(const pki::OcspRequest& request, const Identity& by);

    CrlBooks& books_;
    Files files_;
    const base::Clock& clock_;
    pki::OcspIssuer issuer_;
    std::mutex renewing_;
    mutable std::mutex mutex_;  // guards what follows
    std::shared_ptr<const Identity> identity_;
    std::map<base::Bytes, Answer> kept_;  ///< by CertID
    std::uint64_t generation_ = 0;        ///< of what is kept: each revocation begins another
};

}  // namespace ca
