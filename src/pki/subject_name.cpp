// SPDX-License-Identifier: Apache-2.0
#include "pki/subject_name.hpp"

#include "pki/openssl.hpp"

namespace pki {
namespace {

X509NamePtr name_from(std::span<const std::byte> der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    X509NamePtr name(d2i_X509_NAME(nullptr, &at, static_cast<long>(der.size())));
    clear_openssl_errors();
    return name;
}

}  // namespace

base::Bytes subject_der(const Certificate& certificate) {
    return to_der<X509_NAME>(X509_get_subject_name(certificate.handle()),
                             [](X509_NAME* name, unsigned char** out) { return i2d_X509_NAME(name, out); });
}

bool same_subject(std::span<const std::byte> a, std::span<const std::byte> b) {
    const auto first = name_from(a);
    const auto second = name_from(b);
    return first && second && X509_NAME_cmp(first.get(), second.get()) == 0;
}

Sha256 key_digest(const PublicKey& key) {
    return sha256(key.der());
}

}  // namespace pki
