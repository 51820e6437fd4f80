// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "base/error.hpp"

/// For `pki` only.
namespace pki {

/// What is asked for, in a request or by who issues, is not what we certify.
inline std::unexpected<base::Error> refuse(std::string thing, std::string reason, std::string fix = {}) {
    return base::fail(base::Code::invalid_argument, std::move(thing), std::move(reason), std::move(fix));
}

}  // namespace pki
