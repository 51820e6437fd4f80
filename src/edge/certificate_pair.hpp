// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "edge/certificates_client.hpp"
#include "edge/keys_client.hpp"
#include "pki/csr.hpp"

namespace edge {

/// Which certificates and keys belong together: those in use under an id, and those that a renewal has made
/// under "<id>-temp".
struct PairFacts {
    bool certificate = false;     ///< there is one in use
    bool in_use = false;          ///< it belongs to the key in use
    bool with_next_key = false;   ///< it belongs to the next key: cut off between certificate and key
    bool next_with_key = false;   ///< the next certificate belongs to the key in use
    bool next_with_next = false;  ///< the next certificate belongs to the next key
    friend bool operator==(const PairFacts&, const PairFacts&) = default;
};

enum class PairRepair {
    nothing,             ///< the pair in use is whole
    move_key,            ///< the next key completes it
    import_certificate,  ///< the next certificate completes it
    take_next,           ///< only the next pair is whole
    key_lost,            ///< a certificate without its key, and no other pair
    make,                ///< there is nothing yet
};
/// What brings a pair back after a power loss at any point of `CertificatePair::take_over`. Pure.
PairRepair repair_of(const PairFacts& facts);

/// A certificate and its private key, held by two services under one id, and changed as one: at any moment
/// what lies on the disk is the old pair or leads to the new one (edge-runtime.md 2.7, 5.8, 7.6). Cheap to
/// copy.
class CertificatePair {
  public:
    /// previous_id: where a self-signed certificate is kept that has been replaced, so that what it has
    /// signed is trusted to its end; empty: nowhere.
    CertificatePair(std::string id, KeysClient keys, CertificatesClient certificates,
                    std::string previous_id = {})
        : id_(std::move(id)),
          previous_id_(std::move(previous_id)),
          keys_(std::move(keys)),
          certificates_(std::move(certificates)) {}

    const std::string& id() const { return id_; }
    std::string next_id() const { return id_ + "-temp"; }

    struct State {
        PairFacts facts;
        std::optional<pki::Chain> chain;  ///< in use
        std::optional<pki::Chain> next;
        /// The id of the key that `next` belongs to; empty where it belongs to none.
        std::string next_key;
    };
    net::Task<base::Result<State>> look() const;

    /// Makes the first certificate: the key where it is missing, then the certificate. algorithms:
    /// "ec-p256:*".
    net::Task<base::Result<pki::Chain>> make(pki::CsrWish wish, std::string algorithms) const;
    /// Makes the next certificate under `next_id`, in place of what is there: with a new key, or with the one
    /// in use. What is in use stays as it is.
    net::Task<base::Result<State>> make_next(pki::CsrWish wish, std::string algorithms,
                                             bool rotate_key) const;
    /// Makes the next pair the one in use: first the certificate, then the key. Where the key cannot be moved
    /// the certificate in use is put back.
    net::Task<base::Status> take_over(State state) const;
    /// Carries out what `repair_of` says, but for key_lost and make; answers with the state afterwards.
    net::Task<base::Result<State>> repair(State state) const;
    /// Takes away what is kept under `previous_id` where it has expired.
    net::Task<base::Status> forget_expired(base::Instant now) const;

  private:
    net::Task<base::Result<std::optional<pki::Chain>>> chain_of(std::string id) const;
    net::Task<base::Result<std::optional<pki::PrivateKey>>> key_of(std::string id) const;
    net::Task<base::Status> forget_next() const;

    std::string id_;
    std::string previous_id_;
    KeysClient keys_;
    CertificatesClient certificates_;
};

}  // namespace edge
