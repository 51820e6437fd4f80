// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "ca/config.hpp"
#include "ca/inventory.hpp"
#include "pki/certificate.hpp"
#include "pki/key.hpp"

namespace ca {

/// A certificate that policy has granted. Subject and names are issued as they stand here.
struct Order {
    pki::Profile profile;
    pki::PublicKey key;
    std::string common_name{};
    std::optional<base::Bytes> subject_der{};  ///< a whole subject in place of the common name
    std::vector<std::string> names{};
    std::optional<std::chrono::seconds> lifetime{};
    bool client_auth = false;
    std::string label{};
    std::string device{};
    Actor actor{};
    std::optional<std::string> replaces{};  ///< serial of the certificate that is renewed
    std::string detail{};                   ///< for the audit line: "serverkeygen", "approved by 1000"
    std::vector<std::string> permitted{};   ///< a CA: the names that it may issue for; empty: any
    std::optional<int> path_length{};       ///< an intermediate: how many CAs may stand below it
    bool allow_short = false;  ///< also where the issuer ends within a tenth of the lifetime asked for
};

/// A line of the audit log that is no issuance: a refusal, a start, a change of policy (est-and-pki.md 9.5).
struct Event {
    std::string kind;  ///< "refuse", "policy", "start", "pending", ...
    Actor actor{};
    std::string label{}, profile{}, reason{}, serial{}, subject{}, detail{};
};

/// The books of a CA: what it issued (inventory, SQLite) and what it did (audit log, chained by hash, heads
/// signed), together with the keys that sign. One process at a time has them open. No certificate leaves
/// before inventory and log are on disk (est-and-pki.md 9.3); issuances that wait together are committed
/// together. From any thread.
class Ledger {
  public:
    /// Takes the lock of `data`. Fails with not_found where it holds no CA, address_in_use where another
    /// process has it, `malformed` where the audit log does not verify (sallyport ca audit verify tells
    /// more).
    static base::Result<std::unique_ptr<Ledger>> open(const std::filesystem::path& data,
                                                      const base::Clock& clock);
    ~Ledger();  ///< finishes what was begun, writes `stop` and a signed head

    const Config& config() const;
    const pki::Certificate& root() const;
    /// The issuing CA first, without the root.
    const pki::Chain& issuers() const;
    /// The key of the issuing CA, for CRLs and for what the CA issues to itself.
    const pki::PrivateKey& key() const;

    /// What /cacerts has, in its order: the issuing CA first, then what is above it, cross certificates, and
    /// last the roots (est-and-pki.md 5).
    const pki::Chain& published() const;

    /// Signs at once on the calling thread; `done` is called on the ledger's thread once it is on disk, with
    /// the leaf first and then the issuers without the root. What is refused before is told at once on the
    /// calling thread. Errors: invalid_argument (bad names, key), unavailable (the issuer ends too soon, disk
    /// full, log broken).
    void issue(const Order& order, std::function<void(base::Result<pki::Chain>)> done);
    /// The same, waiting, for commands.
    base::Result<pki::Chain> issue(const Order& order);

    /// Takes a certificate into the books that was not signed by `issue`: by another of this CA's keys, or on
    /// the machine of the root. issuer: the name of the CA that signed it.
    base::Status import(const pki::Certificate& certificate, pki::Profile profile, const std::string& issuer,
                        const std::string& detail);

    /// Final for every reason but certificate_hold, which `unrevoke` lifts. not_found: never issued here;
    /// already_exists: revoked already.
    base::Status revoke(const std::string& serial, Reason reason, const Actor& actor);
    base::Status unrevoke(const std::string& serial, const Actor& actor);
    /// Refuses renewal and enrolment to a device from now on, and revokes nothing.
    base::Status block(const std::string& device, bool blocked, const Actor& actor);
    bool is_blocked(const std::string& device) const;

    /// After a `start`, the end of the ledger writes a `stop`.
    void write(Event event);
    /// The newest signed head of the audit log, a line for an anchor outside; signs one where there are
    /// entries that none covers.
    base::Result<std::string> sign_head();
    std::uint64_t audit_seq() const;  ///< number of the newest audit entry

    std::optional<Entry> find(const std::string& serial) const;
    /// By exact certificate; nullopt also where only the serial is the same.
    std::optional<Entry> find(const pki::Certificate& certificate) const;
    /// Whether a certificate that is valid now holds this key, and whose it is.
    std::optional<Entry> find_key(const Sha256& spki) const;
    /// Whether a certificate with this key was ever revoked because the key fell into other hands.
    bool is_compromised(const Sha256& spki) const;
    struct Wish {
        std::optional<std::chrono::seconds> expiring_within{};
        std::optional<std::string> device{}, actor{};
        std::optional<std::string> after{};  ///< serial, for paging
        std::size_t most = 1000;
    };
    std::vector<Entry> list(const Wish& wish) const;  ///< by end of validity, without the DER
    /// Everything revoked of one issuer that a CRL must name (not expired a CRL ago), by serial.
    struct Revoked {
        std::string serial;
        Revocation revocation;
    };
    std::vector<Revoked> revoked(const std::string& issuer) const;
    struct Count {
        std::string profile, state;  ///< state: "valid", "expired", "revoked"
        std::uint64_t count = 0;
    };
    std::vector<Count> counts() const;  ///< for metrics; walks over all, so not for each request
    /// A number greater than each one before, on disk before it is answered (RFC 5280 5.2.3).
    base::Result<std::uint64_t> next_crl_number(const std::string& issuer);
    /// Called after each revocation, and each one lifted, is on disk, by the thread that asked for it. At
    /// most one.
    void on_revoked(std::function<void(const std::string& serial)> observer);

  private:
    struct Impl;
    explicit Ledger(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace ca
