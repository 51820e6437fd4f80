// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>

#include "base/error.hpp"
#include "pki/verify.hpp"
#include "registry/registry.hpp"

namespace hub {

/// The verified CA certificates as trust anchors for X.509 CA authentication (hub.md 2.5). From any thread.
class Anchors {
  public:
    /// Reads them anew. What is read later is never replaced by what was read earlier.
    base::Status refresh(registry::Reader& reader);
    std::shared_ptr<const pki::TrustBundle> current() const;

  private:
    mutable std::mutex mutex_;
    std::mutex refreshing_;
    std::shared_ptr<const pki::TrustBundle> bundle_ = std::make_shared<const pki::TrustBundle>();
};

}  // namespace hub
