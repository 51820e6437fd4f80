// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/secret.hpp"

namespace est {

/// The body of an answer to serverkeygen (RFC 7030 4.4.2): the key in PKCS#8 and the certs-only message, in
/// two parts with `boundary` between them. It holds a secret: wipe it once sent.
std::string keygen_body(std::string_view boundary, const base::SecretBytes& pkcs8,
                        std::span<const std::byte> certs_only);

}  // namespace est
