// SPDX-License-Identifier: Apache-2.0
#include "hub/waiters.hpp"

#include <utility>

namespace hub {

Waiters::Place::Place(Waiters& waiters, std::string subject)
    : waiters_(waiters), at_(waiters.places_.emplace(std::move(subject), this)) {}

Waiters::Place::~Place() {
    waiters_.places_.erase(at_);
}

void Waiters::wake(const std::string& subject) {
    const auto [first, last] = places_.equal_range(subject);
    for (auto at = first; at != last; ++at) at->second->event_.notify();
}

void Waiters::wake_all() {
    for (const auto& [subject, place] : places_) place->event_.notify();
}

}  // namespace hub
