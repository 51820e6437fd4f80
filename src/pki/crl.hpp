// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "pki/certificate.hpp"
#include "pki/key.hpp"
#include "pki/serial.hpp"

struct X509_name_st;  // OpenSSL's X509_NAME

namespace pki {

/// One line of a CRL. reason: a CRLReason (RFC 5280 5.3.1); 0 is unspecified.
struct RevokedSerial {
    Serial serial;
    std::uint8_t reason = 0;
    base::Instant at;
};
/// "keyCompromise" and so on; "reason N" for a number without a name.
std::string crl_reason_text(int reason);

/// What goes into a CRL. The list is complete: no partitions, no deltas.
struct CrlInput {
    const Certificate& issuer;
    const PrivateKey& key;
    std::uint64_t number = 0;
    base::Instant this_update, next_update;
    std::span<const RevokedSerial> revoked;  ///< ascending by serial, none twice
    std::string ca_issuers_url{};            ///< where the issuer's certificate is; empty: not told
};

/// Makes and signs a version 2 CRL (RFC 5280 5) in DER: CRL number and authority key identifier, reasons but
/// for `unspecified`. Entries are written one by one into one buffer of the final size. Fails with
/// invalid_argument for a list out of order, an issuer that may not sign CRLs or whose key this is not.
base::Result<base::Bytes> make_crl(const CrlInput& input);

std::string crl_to_pem(std::span<const std::byte> der);

/// A complete CRL that parsed. An immutable value, cheap to copy, safe from any thread. That it parsed says
/// nothing about trust: that is `check_issuer`.
class Crl {
  public:
    /// Exactly one CRL in DER. Fails with malformed, or with unsupported for a partition, delta or indirect
    /// CRL, or a critical extension that is not known: its entries would not mean what they say.
    static base::Result<Crl> from_der(std::span<const std::byte> der, std::string thing = "CRL");
    /// DER, or the first CRL of a PEM text.
    static base::Result<Crl> read(std::span<const std::byte> content, std::string thing = "CRL");

    const base::Bytes& der() const;
    const X509_name_st* issuer_handle() const;  ///< borrowed; for `pki` only
    std::string issuer() const;                 ///< RFC 2253 text
    base::Instant this_update() const;
    std::optional<base::Instant> next_update() const;
    /// Upper-case hex without leading zeros; empty where there is none.
    const std::string& number() const;
    std::size_t size() const;
    /// The http URL of the issuer's certificate (RFC 5280 5.2.7); empty where it is not told.
    const std::string& ca_issuers_url() const;

    /// nullptr where the serial is not in it.
    const RevokedSerial* find(const Serial& serial) const;
    /// The same certificates revoked as in `other`.
    bool same_entries(const Crl& other) const;
    /// Newer, or as new with a higher number: what may replace `other` of the same issuer.
    bool supersedes(const Crl& other) const;

    /// Whether `ca` issued it: names, key identifiers, keyUsage cRLSign, strength and signature. Says why
    /// not. The signature is computed once for each key.
    base::Status check_issuer(const Certificate& ca) const;

  private:
    struct Data;
    friend struct CrlParser;
    explicit Crl(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
    std::shared_ptr<const Data> data_;
};

/// The CRLs that decisions rest on. Immutable after it is made; share it as shared_ptr<const CrlSet>.
class CrlSet {
  public:
    CrlSet() = default;
    /// complete: false where a source that is configured has never given one.
    explicit CrlSet(std::vector<Crl> crls, bool complete = true)
        : crls_(std::move(crls)), complete_(complete) {}
    const std::vector<Crl>& all() const { return crls_; }
    bool complete() const { return complete_; }
    /// Those of the issuer, by name alone.
    std::vector<const Crl*> of(const X509_name_st* issuer) const;

  private:
    std::vector<Crl> crls_;
    bool complete_ = true;
};

}  // namespace pki
