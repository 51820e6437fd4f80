// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "edge/config.hpp"
#include "edge/toml_text.hpp"

namespace edge {

/// What the certificates service reads about EST: [cert_issuance.est], and an entry for each EST identity
/// that it obtains itself.
void add_est(TomlText& out, const Configuration& configuration);
/// The keys of one issuance by EST: URL, and ids in place of a credential of its own.
void add_est_options(TomlText& out, const Configuration& configuration, const std::string& id,
                     const Issuance& issuance);

/// Ids of the certificates that the operator supplies for EST, with their files.
void add_est_certificates(const Configuration& configuration,
                          std::map<std::string, std::variant<Uri, std::vector<std::string>>>& preloaded);
void add_est_keys(const Configuration& configuration, std::map<std::string, Uri>& preloaded);
/// Ids that the certificates service uses for itself: certificates that it writes, keys that it makes and
/// signs with.
std::vector<std::string> est_written_ids(const Configuration& configuration);
std::vector<std::string> est_key_ids(const Configuration& configuration);

}  // namespace edge
