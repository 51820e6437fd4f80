// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>

#include "azure/username.hpp"
#include "base/secret.hpp"
#include "gateway/scope_cache.hpp"
#include "pki/certificate.hpp"
#include "trust/authenticate.hpp"

namespace gateway {

/// What a downstream client showed when it connected; kept for as long as its session, to be judged again.
struct Credential {
    azure::Claim claim;
    std::string client_id;
    base::SecretBytes token;
    const pki::Chain* certificates = nullptr;  ///< of the connection
};

/// Decides on a downstream client by the scope cache alone (gateway.md 2, interfaces.md 4). hosts: the hub's
/// name and the gateway's own, accepted in user name and audience. Adds two steps of its own before those of
/// trust::authenticate: whether the identity may connect here at all, and that its way up leads to us. Pure.
trust::Decision judge(const Credential& credential, const ScopeCache& cache,
                      std::span<const std::string> hosts, base::Instant now,
                      const trust::Revocation& revocation = {});

/// The ids of the gateway's own checks.
namespace checks {
inline constexpr std::string_view host = "user_name.host";
inline constexpr std::string_view role = "identity.downstream";
inline constexpr std::string_view scope = "identity.scope";
}  // namespace checks

}  // namespace gateway
