// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pki/certificate.hpp"
#include "pki/distinguished_name.hpp"
#include "pki/openssl.hpp"

namespace pki {

struct DirectoryName {
    DistinguishedName canonical;
    const X509_NAME* name;  ///< for texts; belongs to the certificate
};

/// The names that a certificate certifies, by kind, as views into it. For `pki` only. Of a certificate that
/// lives on.
struct CertificateNames {
    GeneralNamesPtr owner;  ///< keeps what the views show
    bool has_san = false;   ///< the extension is there, whatever it holds
    std::vector<std::string_view> dns;
    std::vector<std::string_view> email;
    std::vector<std::string_view> uri;
    std::vector<std::span<const unsigned char>> addresses;
    std::vector<DirectoryName> directories;  ///< the subject, where it is not empty, then directoryName SANs
    std::vector<int> others;                 ///< GEN_ types that are none of these
};

/// Reads subject and subjectAltName. Constraints on e-mail reach the subject's emailAddress where there is no
/// SAN (RFC 5280 4.2.1.10).
CertificateNames certificate_names(const Certificate& certificate);

/// What of a certificate may enter a log: control characters and non-ASCII as \xNN, at most 100 characters.
std::string printable(std::string_view text);
/// A long name cut to what a reader can use: at most 200 bytes, at the border of a character.
std::string shortened(std::string text);
/// "10.0.0.1", "2001:db8::1"; "8 octets 0a000000ff000000" where it is no address.
std::string address_text(std::span<const unsigned char> octets);

}  // namespace pki
