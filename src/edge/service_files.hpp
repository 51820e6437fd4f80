// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "edge/config_split.hpp"

namespace edge {

/// The directory that all services share, and whose lock says that one `edge run` is at work.
base::Status make_shared_home(const Paths& paths);

/// Writes each service its 00-super.toml, 0600, and an inline device key as a file of the keys service: all
/// or none. Everything is written beside and synced first; then a mark is set, from which on the new ones
/// count
/// (`is_settling`), and they are renamed into place. Fails with address_in_use while another process does the
/// same. give_away: each service's directories and files become its user's; otherwise they stay the present
/// user's.
base::Status write_service_files(const Configuration& configuration, const Paths& paths, const Users& users,
                                 bool give_away);

/// True where the power was lost between the mark and the last rename: what lies beside then counts.
bool is_settling(const Paths& paths);
/// "00-super.toml.next": where a file lies until it is renamed into place.
std::filesystem::path file_beside(const std::filesystem::path& file);

/// What each service reads now; "" where there is nothing yet.
std::map<Service, std::string> present_service_files(const Paths& paths);

/// A digest of everything that decides how a service runs: its file, and the inline device key where it uses
/// it.
std::map<Service, std::string> fingerprints(const Paths& paths);

}  // namespace edge
