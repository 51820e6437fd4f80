// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "pki/certificate.hpp"

struct X509_name_st;  // OpenSSL's X509_NAME

namespace pki {

/// Certificates found by subject, compared as RFC 5280 7.1 says. Immutable after it is made; `find` costs a
/// binary search. Of certificates with one subject the order given is kept.
class SubjectIndex {
  public:
    SubjectIndex() = default;
    explicit SubjectIndex(std::vector<Certificate> certificates);
    std::span<const Certificate> find(const X509_name_st* subject) const;
    /// This very certificate, octet by octet.
    bool contains(const Certificate& certificate) const;
    std::size_t size() const { return sorted_.size(); }

  private:
    std::vector<Certificate> sorted_;
};

}  // namespace pki
