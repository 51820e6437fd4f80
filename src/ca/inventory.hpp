// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "pki/certificate.hpp"
#include "pki/profile.hpp"

namespace ca {

using Sha256 = std::array<std::byte, 32>;

/// Who asked, as inventory and audit log keep it (est-and-pki.md 3.1): "est-id:dev1", "user:line-3",
/// "command:root".
struct Actor {
    enum class Kind { command, bootstrap, est_identity, issued, user };
    Kind kind = Kind::command;
    std::string id;    ///< the device of a certificate, the name of a user
    std::string peer;  ///< address without port; empty on the command line
    std::string text() const;
};

/// Why a certificate was revoked (RFC 5280 5.3.1), with the values of CRLReason.
enum class Reason {
    unspecified = 0,
    key_compromise = 1,
    ca_compromise = 2,
    affiliation_changed = 3,
    superseded = 4,
    cessation_of_operation = 5,
    certificate_hold = 6,
    privilege_withdrawn = 9,
    aa_compromise = 10
};
/// "keyCompromise" and so on, as openssl writes them.
std::string_view to_string(Reason reason);
/// Without case; nullopt for any other word.
std::optional<Reason> parse_reason(std::string_view text);
std::vector<std::string> reason_list();

struct Revocation {
    base::Instant at;
    Reason reason = Reason::unspecified;
};

/// One issued certificate. Serial numbers are lower-case hex without leading zeros beyond a whole octet.
struct Entry {
    std::string serial;
    std::string issuer;  ///< name of the CA that issued it, as ca.toml has it
    pki::Profile profile = pki::Profile::device;
    std::string label;               ///< EST label; empty on the command line
    std::string device;              ///< whose it is: the caller's device, else the common name
    std::string subject;             ///< RFC 2253
    std::vector<std::string> names;  ///< SANs: "DNS:..."
    Sha256 spki{};                   ///< of the SubjectPublicKeyInfo
    Sha256 certificate{};            ///< of the whole certificate
    base::Instant not_before, not_after, issued_at;
    std::string actor;                       ///< Actor::text()
    std::optional<std::string> replaces;     ///< serial of the certificate that this one renews
    std::optional<std::string> replaced_by;  ///< the newest one that renews this
    std::optional<Revocation> revocation;
    base::Bytes der;
};

/// A serial number as the inventory writes it, from "4F:0A", "0x4f0a", "4f0a"; nullopt where it is none.
std::optional<std::string> parse_serial(std::string_view text);
std::string serial_of(const pki::Certificate& certificate);

}  // namespace ca
