// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <utility>

#include "base/error.hpp"

namespace edge_test {

/// What a test cannot go on without.
template <class T>
T sure(base::Result<T> result) {
    if (!result) throw std::runtime_error(result.error().text());
    return *std::move(result);
}
inline void sure(const base::Status& status) {
    if (!status) throw std::runtime_error(status.error().text());
}

}  // namespace edge_test
