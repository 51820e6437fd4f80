// SPDX-License-Identifier: Apache-2.0
#include "hub/anchors.hpp"

#include <utility>
#include <vector>

namespace hub {

base::Status Anchors::refresh(registry::Reader& reader) {
    // Reading happens inside, so that of two refreshes the later one sees what the earlier one saw.
    const std::lock_guard one_at_a_time(refreshing_);
    auto stored = reader.ca_certificates();
    if (!stored) return std::unexpected(std::move(stored).error());
    std::vector<pki::Certificate> verified;
    for (auto& entry : *stored) {
        if (entry.verified) verified.push_back(std::move(entry.certificate));
    }
    auto bundle = std::make_shared<const pki::TrustBundle>(std::move(verified));
    const std::lock_guard lock(mutex_);
    bundle_ = std::move(bundle);
    return {};
}

std::shared_ptr<const pki::TrustBundle> Anchors::current() const {
    const std::lock_guard lock(mutex_);
    return bundle_;
}

}  // namespace hub
