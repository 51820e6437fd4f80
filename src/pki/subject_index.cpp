// SPDX-License-Identifier: Apache-2.0
#include "pki/subject_index.hpp"

#include <algorithm>

#include "pki/openssl.hpp"

namespace pki {
namespace {

const X509_NAME* subject_of(const Certificate& certificate) {
    return X509_get_subject_name(certificate.handle());
}

struct BySubject {
    bool operator()(const Certificate& a, const Certificate& b) const {
        return X509_NAME_cmp(subject_of(a), subject_of(b)) < 0;
    }
    bool operator()(const Certificate& a, const X509_NAME* b) const {
        return X509_NAME_cmp(subject_of(a), b) < 0;
    }
    bool operator()(const X509_NAME* a, const Certificate& b) const {
        return X509_NAME_cmp(a, subject_of(b)) < 0;
    }
};

}  // namespace

SubjectIndex::SubjectIndex(std::vector<Certificate> certificates) : sorted_(std::move(certificates)) {
    std::ranges::stable_sort(sorted_, BySubject());
}

std::span<const Certificate> SubjectIndex::find(const X509_NAME* subject) const {
    const auto [first, last] = std::equal_range(sorted_.begin(), sorted_.end(), subject, BySubject());
    return {first, last};
}

bool SubjectIndex::contains(const Certificate& certificate) const {
    return std::ranges::find(find(subject_of(certificate)), certificate) !=
           find(subject_of(certificate)).end();
}

}  // namespace pki
