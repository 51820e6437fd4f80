// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/encoding.hpp"
#include "pki/certificate.hpp"
#include "pki/key.hpp"

namespace pki {

/// The subject as it stands in the certificate: an X.501 Name in DER.
base::Bytes subject_der(const Certificate& certificate);
/// Whether two names in DER are the same by RFC 5280 7.1: without case and superfluous blanks, whatever kind
/// of string either is. False where one is no name.
bool same_subject(std::span<const std::byte> a, std::span<const std::byte> b);
/// SHA-256 of the SubjectPublicKeyInfo.
Sha256 key_digest(const PublicKey& key);

}  // namespace pki
