// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pki {

/// What a leaf is to be used for in TLS. `any`: no usage is asked for, of the leaf or of its issuers.
enum class Purpose { any, server, client };

}  // namespace pki
