// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>

#include "base/error.hpp"

namespace net {

/// A coroutine that runs on one loop. The one place where a header shows Asio (style.md 1.5).
/// Parameters by value, or references to what provably outlives the task (style.md 5.1).
template <class T = void>
using Task = boost::asio::awaitable<T>;

}  // namespace net
