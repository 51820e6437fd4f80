// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "http/message.hpp"
#include "pki/certificate.hpp"
#include "pki/csr.hpp"
#include "pki/purpose.hpp"
#include "pki/trust_bundle.hpp"

namespace est {

/// What a certificate that an EST server sends must be: exactly what was asked for.
struct Wanted {
    pki::PublicKey key;
    std::string subject;             ///< RFC 2253 text
    std::vector<std::string> names;  ///< SANs, in any order
    bool ca = false;
    pki::Purpose purpose = pki::Purpose::any;
};
Wanted wanted(const pki::Csr& request, bool ca, pki::Purpose purpose);

/// A certificate that may be used.
struct Issued {
    pki::Chain chain;    ///< leaf first, then its issuers as far as the anchor, which is left out
    bool ahead = false;  ///< it begins in the future: this machine's clock is behind
};

/// The certificates of an answer with status 200: type, size, base64 and certs-only message (RFC 7030 4.1.3,
/// 4.2.3). Pure. Fails with malformed, too_large, or unsupported for a type.
base::Result<pki::Chain> read_certificates(const http::Response& answer);

/// Judges what came (est-and-pki.md 1.14): the leaf is found by its key; a path leads to an anchor of
/// `trust`, by way of the other certificates and of `authorities` (from /cacerts); subject and names are
/// those asked for, CA only where asked for, the usage covers the purpose, at least an hour is left. A clock
/// that is up to a day behind is borne with. Pure. Fails with invalid_argument: the reason is what is wrong.
base::Result<Issued> check_issued(const pki::Chain& answered, const pki::Chain& authorities,
                                  const Wanted& wanted, const pki::TrustBundle& trust, base::Instant now);

}  // namespace est
