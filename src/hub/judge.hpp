// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azure/username.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "hub/services.hpp"
#include "mqtt/packet.hpp"
#include "trust/authenticate.hpp"

namespace hub {

/// What a session was opened with: enough to decide again when the registry changes.
struct Credential {
    azure::Claim claim;
    std::vector<trust::Identity> chain;  ///< of the auth chain, target first; empty for a direct connection
    std::string client_id;
    base::SecretBytes token;  ///< the password; empty: none

    /// Every device whose change may matter, for the index of sessions.
    std::vector<std::string> devices() const;
};

/// A CONNECT that cannot even be judged.
struct BadConnect {
    mqtt::ConnackCode code;
    base::Error why;
};
/// Reads who a CONNECT claims to be (hub.md 2.2, 2.7).
std::expected<Credential, BadConnect> read_credential(mqtt::Connect& connect, const Config& config);

struct Judgement {
    trust::Decision decision;
    std::string generation;  ///< of the record; empty where there is none
};
/// An old CRL may keep newcomers out (crl_max_age); it ends no session that was let in.
enum class Occasion { connect, session };
/// Reads the records and decides. Fails only where the registry cannot be read.
base::Result<Judgement> judge(const Credential& credential, const pki::Chain& certificates,
                              const Services& services, base::Instant now,
                              Occasion occasion = Occasion::connect);

/// The CONNACK code of a verdict that is no (hub.md 2.7): by what was sent, never by what is registered, so
/// that it does not tell which ids exist.
mqtt::ConnackCode connack_code(const pki::Verdict& verdict, std::string_view token);

}  // namespace hub
