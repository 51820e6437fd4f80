// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ca/http_config.hpp"
#include "ca/ledger.hpp"

namespace ca {

/// What CRLs and OCSP answers are made from. From any thread.
class CrlBooks {
  public:
    virtual ~CrlBooks() = default;

    struct Authority {
        std::string name;  ///< as ca.toml has it
        pki::Certificate certificate;
    };
    /// The issuing CA first, the root last.
    virtual const std::vector<Authority>& authorities() const = 0;
    /// The key of the issuing CA.
    virtual const pki::PrivateKey& key() const = 0;
    virtual const HttpConfig& http() const = 0;

    virtual std::vector<Ledger::Revoked> revoked(const std::string& issuer) const = 0;
    virtual base::Result<std::uint64_t> next_crl_number(const std::string& issuer) = 0;
    struct Known {
        std::string issuer;
        std::optional<Revocation> revocation;
    };
    /// serial: as in Entry. nullopt: never issued here.
    virtual std::optional<Known> find(const std::string& serial) const = 0;
    /// A certificate of profile ocsp for the key, by the issuing CA; waits until it is on disk.
    virtual base::Result<pki::Certificate> issue_responder(const pki::PublicKey& key) = 0;
    /// Audit line.
    virtual void write(Event event) = 0;
    /// Called after each revocation and each one lifted; an empty observer: nobody any more.
    virtual void on_revoked(std::function<void(const std::string& serial)> observer) = 0;
};

/// ledger: outlives it.
std::unique_ptr<CrlBooks> books_of(Ledger& ledger);

}  // namespace ca
