// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "pki/key.hpp"

struct X509_req_st;

namespace pki {

/// What a certification request asks for (PKCS#10, RFC 2986). Its signature has been checked, so possession
/// of the key is proven; everything else is a wish that `profile` decides on. What is refused already: a weak
/// key or digest, an attribute or extension given twice, more than one CN, a name with a NUL in it.
struct Csr {
    PublicKey key;
    std::string common_name{};  ///< CN of the subject; may be empty
    std::string subject{};      ///< RFC 2253 text
    base::Bytes subject_der{};  ///< the X.501 Name as it stands
    std::vector<std::string>
        names{};                  ///< SANs asked for: "DNS:x", "IP:10.0.0.1", "URI:...", "email:...", "other"
    bool asks_ca = false;         ///< basicConstraints CA:TRUE among the requested extensions
    bool asks_cert_sign = false;  ///< keyUsage keyCertSign or cRLSign among them
    std::vector<std::string> usages{};  ///< EKU asked for, short names
    /// What else of the requested extensions asks for power that no leaf has, for people: "the extended key
    /// usage codeSigning", "the critical extension 1.2.3" (est-and-pki.md 3.2).
    std::vector<std::string> powers{};
    struct SubjectAttribute {
        std::string type;   ///< "CN", "O"; dotted numbers where it has no short name
        std::string value;  ///< as UTF-8
        bool plain;         ///< a UTF8String, PrintableString or IA5String
    };
    std::vector<SubjectAttribute> subject_attributes{};
    std::vector<std::string> extensions{};   ///< those asked for, as dotted numbers
    std::vector<std::string> attributes{};   ///< of the request, as dotted numbers
    std::optional<std::string> challenge{};  ///< challengePassword, or estIdentityLinking (RFC 7894)
};

/// Why a request is refused. id: the reason id of est-and-pki.md section 10, "csr.signature", "key.weak".
struct CsrFault {
    std::string_view id;
    base::Error error;
};
/// ignored: neither key nor signature is looked at (RFC 7030 4.4.1: the server makes the key).
enum class CsrKey { checked, ignored };
/// Exactly one request in DER, checked in the order of section 10: form, signature, digest, key, extensions,
/// subject.
std::expected<Csr, CsrFault> examine_csr(std::span<const std::byte> der, CsrKey key = CsrKey::checked,
                                         std::string thing = "certificate request");

/// Exactly one request, at most 64 KiB; a PEM text may have lines around the block. A text without a request,
/// a broken one, bytes behind it or a signature that does not fit fail with malformed; what is refused by
/// rule with invalid_argument. thing: what it is, for errors.
base::Result<Csr> csr_from_pem(std::string_view pem, std::string thing = "certificate request");
base::Result<Csr> csr_from_der(std::span<const std::byte> der, std::string thing = "certificate request");

/// The content of a file or body in either form: DER where it begins with a SEQUENCE, else PEM.
base::Result<Csr> read_csr(std::span<const std::byte> content, std::string thing = "certificate request");

/// Makes a request for `key` with subject CN=`common_name` and the given SANs ("DNS:x", "IP:...").
/// `usages`: EKU short names to ask for. ca: ask for CA:TRUE, path length 0 with keyCertSign.
struct CsrWish {
    std::string common_name{};
    std::vector<std::string> names{};
    std::vector<std::string> usages{};
    bool ca = false;
};
base::Result<std::string> make_csr_pem(const CsrWish& wish, const PrivateKey& key);

}  // namespace pki
