// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "pki/digest.hpp"

struct x509_st;      // OpenSSL's X509
struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace pki {

class Certificate;

/// Leaf first, then issuers, as a peer presents it. May be empty where a peer presented none.
using Chain = std::vector<Certificate>;

/// An X.509 certificate that parsed (RFC 5280). An immutable value, cheap to copy, safe from any thread.
/// That it parsed says nothing about trust: that is `verify`.
class Certificate {
  public:
    /// Exactly one certificate in DER; trailing bytes are an error. thing: what it is, for errors.
    static base::Result<Certificate> from_der(std::span<const std::byte> der,
                                              std::string thing = "certificate");
    /// The first certificate of a PEM text; text around the block is allowed, as openssl x509 -text writes
    /// it.
    static base::Result<Certificate> from_pem(std::string_view pem, std::string thing = "certificate");
    /// The content of a file in either form: DER where it begins with a SEQUENCE, else the first of a PEM
    /// text.
    static base::Result<Certificate> read(std::span<const std::byte> content,
                                          std::string thing = "certificate");
    /// Takes another reference to an OpenSSL certificate (not null).
    static Certificate share(x509_st* handle);

    x509_st* handle() const { return handle_.get(); }  ///< borrowed; for `pki` and `net` only

    const base::Bytes& der() const { return *der_; }
    std::string pem() const;

    std::string subject() const;  ///< RFC 2253 text, "CN=TempSensor,O=Contoso"
    std::string issuer() const;
    /// Every common name of the subject as UTF-8, in order of the certificate.
    std::vector<std::string> common_names() const;
    /// The last (most specific) common name; empty where there is none.
    std::string common_name() const;
    /// "DNS:edgegateway.local", "IP:10.0.0.1", "URI:...", "email:...": in order; empty where there is no SAN.
    std::vector<std::string> subject_alternative_names() const;
    std::string serial_hex() const;  ///< upper case, no separators

    base::Instant not_before() const;
    base::Instant not_after() const;

    bool is_ca() const;           ///< basicConstraints CA:TRUE
    bool is_self_issued() const;  ///< subject equals issuer
    /// "EC P-256", "RSA 2048".
    std::string key_description() const;
    /// Object identifiers of extKeyUsage as short names ("serverAuth"); nullopt where the extension is
    /// absent.
    std::optional<std::vector<std::string>> extended_key_usage() const;

    const Sha256& sha256() const { return *sha256_; }  ///< over the DER
    Sha1 sha1() const;

    friend bool operator==(const Certificate& a, const Certificate& b) { return *a.sha256_ == *b.sha256_; }

  private:
    explicit Certificate(std::shared_ptr<x509_st> handle);
    std::shared_ptr<x509_st> handle_;
    std::shared_ptr<const base::Bytes> der_;
    std::shared_ptr<const Sha256> sha256_;
};

/// All certificates of a PEM text in order, at least one and at most `limit`. A block that does not parse
/// fails the whole and is named by its number. Private key blocks are an error: no key belongs there.
base::Result<Chain> certificates_from_pem(std::string_view pem, std::string thing, std::size_t limit = 100);
std::string to_pem(const Chain& chain);

/// True where the first octet is the tag of a DER SEQUENCE, which no PEM text begins with ('0').
bool looks_like_der(std::span<const std::byte> content);

/// "AB:CD:..." in upper case, as `openssl x509 -fingerprint` prints it.
std::string with_colons(std::span<const std::byte> digest);

}  // namespace pki
