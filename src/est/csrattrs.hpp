// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "pki/key.hpp"

namespace est {

/// What a server would like to find in requests at one label (RFC 7030 4.5, RFC 9908).
struct CsrWishes {
    std::optional<pki::KeyType> key{};
    bool client_auth = false;  ///< extended key usage of the template
    bool server_auth = false;
    bool challenge = false;  ///< channel binding is required
};

/// CsrAttrs in DER: for old clients the kind of key and the signature algorithm, and for those that know
/// templates one with a common name to be filled in, the kind of key and the extended key usage (RFC 9908
/// 3.2, 3.4). Without any wish: an empty SEQUENCE.
base::Bytes csr_attributes(const CsrWishes& wishes);

}  // namespace est
