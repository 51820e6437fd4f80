// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// The stable ids of the checks that `authenticate` makes.
namespace trust::checks {

inline constexpr std::string_view identity_registered = "identity.registered";
inline constexpr std::string_view identity_client_id = "identity.client_id";
inline constexpr std::string_view identity_enabled = "identity.enabled";
inline constexpr std::string_view identity_method =
    "identity.method";  ///< the registered type can authenticate here
inline constexpr std::string_view credential_present = "credential.present";
inline constexpr std::string_view token_form = "token.form";
inline constexpr std::string_view token_expiry = "token.expiry";
inline constexpr std::string_view token_resource = "token.resource";
inline constexpr std::string_view token_policy = "token.policy";
inline constexpr std::string_view token_signature = "token.signature";
inline constexpr std::string_view leaf_validity = "leaf.validity";
inline constexpr std::string_view leaf_thumbprint = "leaf.thumbprint";
inline constexpr std::string_view leaf_common_name = "leaf.common_name";
inline constexpr std::string_view leaf_end_entity = "leaf.end_entity";
inline constexpr std::string_view chain_form = "chain.form";  ///< the auth chain
inline constexpr std::string_view chain_links = "chain.links";
inline constexpr std::string_view chain_actor = "chain.actor";

}  // namespace trust::checks
