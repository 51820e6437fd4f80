// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "pki/certificate.hpp"

namespace pki {

/// The certs-only PKCS#7 message (RFC 5272 4.1) of these certificates, in this order.
base::Bytes certs_only(std::span<const pki::Certificate> certificates);
/// Its certificates, in order; BER is accepted. malformed where it is anything else.
base::Result<pki::Chain> read_certs_only(std::span<const std::byte> ber);

}  // namespace pki
