// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/un.h>

#include <string>

#include "base/error.hpp"

/// For net/*.cpp only.
namespace net {

/// The address of a Unix socket file. Refuses a path that does not fit (107 bytes) with the remedy.
base::Result<sockaddr_un> unix_address(const std::string& path);

}  // namespace net
