// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/environment.hpp"
#include "base/error.hpp"

namespace app {

/// What `hub dev` and `ca dev` do alike.

/// Where `data` names no directory: $XDG_STATE_HOME/sallyport/<role>, else ~/.local/state/sallyport/<role>.
base::Result<std::filesystem::path> dev_data_directory(const std::filesystem::path& data,
                                                       const std::string& role);
/// Refuses, as wrong usage, what is neither a name nor an address, and wildcards.
base::Status check_dev_hostnames(const std::vector<std::string>& names);
/// Refuses, as wrong usage, what is neither an address to listen on nor "localhost".
base::Status check_dev_listen(const std::string& address);
/// Every name that a client may dial: those given first, then localhost, 127.0.0.1, ::1, this machine's name
/// and the address that is listened on.
std::vector<std::string> dev_names(const std::vector<std::string>& given, const std::string& listen_address);

/// Removes a file of a server that runs no more, which would be taken for ours.
void remove_stale_environment(const std::filesystem::path& file);
/// Prints the variables in the form `output` ("env" or "json"), and puts them into `file` (0600) where it is
/// named.
base::Status tell_environment(const Environment& environment, const std::string& output,
                              const std::filesystem::path& file);

}  // namespace app
