// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "edge/paths.hpp"

namespace edge {

/// What `edge certs install` writes down for systemd.
struct CertificateUnit {
    std::string module;
    std::vector<std::string> command;  ///< this program by its whole path, and `edge certs follow ...`
};

/// "sallyport-certs-mod1.service"; what a unit name cannot hold is escaped as systemd-escape does.
std::string unit_name(std::string_view module);
/// The text of the unit: the command in systemd's quotes, with nothing left for it to expand.
std::string unit_text(const CertificateUnit& unit);

/// Fails where a unit of these paths could not be started: no systemd runs, or this process is not root's.
/// Under another root it is only written.
base::Status check_installable(const Paths& paths);

/// Writes the unit, root's and 0644, and starts it (not under another root).
base::Status install_unit(const Paths& paths, const CertificateUnit& unit);

/// The whole path of a program of the search path, or of one given by a path. Fails with not_found.
base::Result<std::string> find_program(const std::string& name);

}  // namespace edge
