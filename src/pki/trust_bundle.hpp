// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "pki/certificate.hpp"
#include "pki/subject_index.hpp"

namespace pki {

/// Trust anchors, found by subject. Immutable after it is made; share it as shared_ptr<const TrustBundle>.
/// An anchor need not be self-signed: a path may end at any certificate of the bundle (hub.md 2.5).
class TrustBundle {
  public:
    TrustBundle() = default;
    explicit TrustBundle(std::vector<Certificate> anchors)
        : anchors_(std::move(anchors)), by_subject_(anchors_) {}
    /// All certificates of a PEM text (at most 1,000).
    static base::Result<TrustBundle> from_pem(std::string_view pem, std::string thing);
    /// The operating system's trust store: $SSL_CERT_FILE where it is set, else Debian's bundle.
    static base::Result<TrustBundle> system();
    const std::vector<Certificate>& anchors() const { return anchors_; }
    const SubjectIndex& by_subject() const { return by_subject_; }
    bool empty() const { return anchors_.empty(); }

  private:
    std::vector<Certificate> anchors_;
    SubjectIndex by_subject_;
};

}  // namespace pki
