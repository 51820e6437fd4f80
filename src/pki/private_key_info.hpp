// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/secret.hpp"
#include "pki/key.hpp"

namespace pki {

/// The key as unencrypted PKCS#8 PrivateKeyInfo in DER; `unsupported` for one that cannot leave its store.
base::Result<base::SecretBytes> private_key_info(const PrivateKey& key);

}  // namespace pki
