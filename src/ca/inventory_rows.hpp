// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ca/inventory.hpp"
#include "ca/ledger.hpp"
#include "store/database.hpp"

/// The tables of the CA's database, one function a statement or two. Everything here runs on the thread that
/// has the connection; a failure is one of the database.
namespace ca::rows {

std::span<const store::Migration> schema();

/// id: number of the certificate's entry in the audit log.
base::Status insert(store::Database& database, std::uint64_t id, const Entry& entry);
base::Result<std::optional<Entry>> find(store::Database& database, const std::string& serial);
base::Result<bool> is_compromised(store::Database& database, const Sha256& spki);
base::Result<std::optional<Entry>> find_key(store::Database& database, const Sha256& spki, base::Instant now);
/// By end of validity, without the DER.
base::Result<std::vector<Entry>> list(store::Database& database, const Ledger::Wish& wish, base::Instant now);

base::Status set_revocation(store::Database& database, const std::string& serial,
                            const std::optional<Revocation>& revocation);
/// Of one issuer, those that end behind `since`, by serial.
base::Result<std::vector<Ledger::Revoked>> revoked(store::Database& database, const std::string& issuer,
                                                   base::Instant since);
base::Status set_blocked(store::Database& database, const std::string& device, bool blocked,
                         base::Instant now);
base::Result<std::vector<std::string>> blocked(store::Database& database);
base::Result<std::uint64_t> next_crl_number(store::Database& database, const std::string& issuer);
base::Result<std::vector<Ledger::Count>> counts(store::Database& database, base::Instant now);

/// A word that the CA remembers under a name.
base::Result<std::optional<std::string>> note(store::Database& database, const std::string& name);
base::Status set_note(store::Database& database, const std::string& name, const std::string& value);

/// What `audit verify` compares with the log: id, serial, thumbprint and revocation of everything issued, by
/// id.
struct Issued {
    std::uint64_t id;
    std::string serial;
    std::string certificate;  ///< SHA-256, hex
    std::optional<Reason> revoked;
};
class IssuedCursor {
  public:
    explicit IssuedCursor(store::Database& database);
    /// nullopt behind the last one.
    base::Result<std::optional<Issued>> next();

  private:
    store::Statement statement_;
};

}  // namespace ca::rows
