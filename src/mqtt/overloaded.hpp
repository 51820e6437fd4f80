// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace mqtt {

/// One function for std::visit out of one for each alternative.
template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace mqtt
