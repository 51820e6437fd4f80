// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "pki/certificate.hpp"
#include "pki/key.hpp"
#include "pki/serial.hpp"

namespace pki {

enum class OcspHash { sha1, sha256, sha384, sha512, unknown };

/// Which certificate is asked about (RFC 6960 4.1.1).
struct OcspCertId {
    base::Bytes der;  ///< as received, to be repeated in the answer
    OcspHash hash = OcspHash::unknown;
    base::Bytes issuer_name_hash, issuer_key_hash;
    std::optional<Serial> serial;  ///< nullopt: longer than any that we issue
};

struct OcspRequest {
    std::vector<OcspCertId> ids;       ///< 1 to 100
    std::optional<base::Bytes> nonce;  ///< the value of its extension, to be repeated as it stands
};

/// Exactly one request in DER; its signature is not looked at. Fails with malformed: also for an empty list,
/// more than 100 ids, a nonce of 0 or over 128 octets (RFC 9654), a critical extension that is not known.
base::Result<OcspRequest> read_ocsp_request(std::span<const std::byte> der);
/// What stands behind the responder's path in a GET (RFC 6960 A.1): base64, percent-encoded once. Takes what
/// clients and proxies make of it: '/', '+' and '=' not encoded, the alphabet of URLs, missing padding.
/// nullopt where it is no base64.
std::optional<base::Bytes> ocsp_request_of_path(std::string_view behind_prefix);

/// The digests by which requests name one CA.
class OcspIssuer {
  public:
    explicit OcspIssuer(const Certificate& ca);
    bool is_named_by(const OcspCertId& id) const;

  private:
    struct Digests {
        OcspHash hash;
        base::Bytes name, key;
    };
    std::vector<Digests> digests_;
};

struct OcspAnswer {
    enum class Status { good, revoked, unknown };
    Status status = Status::unknown;
    base::Instant revoked_at{};
    int reason = 0;  ///< CRLReason; 0: not told
};

/// Answers without a body, by the values of OCSPResponseStatus.
enum class OcspRefusal { malformed_request = 1, internal_error = 2, try_later = 3, unauthorized = 6 };
base::Bytes ocsp_refusal(OcspRefusal refusal);

struct OcspResponseInput {
    const Certificate& responder;  ///< goes into the answer; named by key
    const PrivateKey& key;
    base::Instant produced_at, this_update, next_update;
    std::span<const OcspCertId> ids;
    std::span<const OcspAnswer> answers;  ///< one for each id
    const std::optional<base::Bytes>& nonce;
};
/// A signed OCSPResponse with status `successful`.
base::Result<base::Bytes> make_ocsp_response(const OcspResponseInput& input);

}  // namespace pki
