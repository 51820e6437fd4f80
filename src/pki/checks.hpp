// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// The stable ids of the checks that `verify` makes. `leaf.*` is about the first certificate, `path.*` about
/// the issuers above it (and, for the signature, about the certificate that was signed).
namespace pki::checks {

inline constexpr std::string_view leaf_present = "leaf.present";
inline constexpr std::string_view leaf_form = "leaf.form";
inline constexpr std::string_view leaf_critical_extensions = "leaf.critical_extensions";
inline constexpr std::string_view leaf_validity = "leaf.validity";
inline constexpr std::string_view leaf_key_strength = "leaf.key_strength";
inline constexpr std::string_view leaf_key_usage = "leaf.key_usage";
inline constexpr std::string_view leaf_extended_key_usage = "leaf.extended_key_usage";
inline constexpr std::string_view leaf_san = "leaf.san";

inline constexpr std::string_view path_issuer = "path.issuer";
inline constexpr std::string_view path_form = "path.form";
inline constexpr std::string_view path_critical_extensions = "path.critical_extensions";
inline constexpr std::string_view path_validity = "path.validity";
inline constexpr std::string_view path_key_strength = "path.key_strength";
inline constexpr std::string_view path_basic_constraints = "path.basic_constraints";
inline constexpr std::string_view path_length = "path.length";
inline constexpr std::string_view path_key_usage = "path.key_usage";
inline constexpr std::string_view path_extended_key_usage = "path.extended_key_usage";
inline constexpr std::string_view path_name_constraints = "path.name_constraints";
inline constexpr std::string_view path_signature_algorithm = "path.signature_algorithm";
inline constexpr std::string_view path_signature = "path.signature";
inline constexpr std::string_view path_anchor = "path.anchor";
inline constexpr std::string_view path_revocation = "path.revocation";
inline constexpr std::string_view path_budget = "path.budget";

}  // namespace pki::checks
