// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "pki/certificate.hpp"
#include "pki/verdict.hpp"

namespace pki {

enum class Purpose { any, server, client };

/// Who was dialled: a DNS name or an IP address. Parsed once, so that an address is never matched as a name.
class PeerName {
  public:
    /// An IPv4 or IPv6 literal (brackets allowed) becomes an address, anything else a DNS name as it stands.
    static PeerName parse(std::string_view text);
    bool is_address() const { return !address_.empty(); }
    const std::string& text() const { return text_; }
    const base::Bytes& address() const { return address_; }  ///< 4 or 16 octets

  private:
    std::string text_;
    base::Bytes address_;
};

/// Trust anchors, found by subject. Immutable after it is made; share it as shared_ptr<const TrustBundle>.
/// An anchor need not be self-signed: a path may end at any certificate of the bundle (hub.md 2.5).
class TrustBundle {
  public:
    TrustBundle() = default;
    explicit TrustBundle(std::vector<Certificate> anchors);
    static base::Result<TrustBundle> from_pem(std::string_view pem, std::string thing);
    /// The operating system's trust store: $SSL_CERT_FILE where it is set, else Debian's bundle.
    static base::Result<TrustBundle> system();
    const std::vector<Certificate>& anchors() const { return anchors_; }
    bool empty() const { return anchors_.empty(); }

  private:
    std::vector<Certificate> anchors_;
};

/// Where operators differ. The default is `azure`: a leaf without any SAN may be named by its CN.
enum class Policy { azure, strict };

struct VerifyInput {
    const Chain& chain;                      ///< leaf first, as the peer sent it; gaps and extras allowed
    const TrustBundle& trust;
    const std::vector<Certificate>* intermediates = nullptr;  ///< further candidates for issuers
    Purpose purpose = Purpose::any;
    const std::optional<PeerName>* name = nullptr;  ///< what was dialled; none: no name is checked
    base::Instant now;                       ///< UTC; the only time that this function knows
    Policy policy = Policy::azure;
};

struct Verification {
    Verdict verdict;
    Chain path;  ///< leaf to anchor where accepted; else the best path tried, which the steps tell about
};

/// Decides whether the chain may be trusted for `purpose`, `name` and moment.
/// Builds the path itself: tries every candidate issuer within a budget (100 signature checks, depth 10,
/// 5,000 name comparisons; over it the step "path.budget" fails). Validates by RFC 5280 section 6 (basic
/// constraints, path length, key usage, EKU through the chain, name constraints on DNS, IP, directory and
/// e-mail names, unknown critical extensions, key strength and signature algorithms of OpenSSL's security
/// level 2) and names by RFC 9525 (CN only where the leaf has no SAN at all, and never for Policy::strict).
/// Pure: no clock, no file, no network; bad input is a failed step, never an exception.
/// Not done: policy tree, revocation (an issue of its own).
Verification verify(const VerifyInput& input);

}  // namespace pki
