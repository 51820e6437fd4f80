// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace edge {

/// The four services of the edge device.
enum class Service { keys, certificates, identity, workload };
inline constexpr std::array all_services{Service::keys, Service::certificates, Service::identity,
                                         Service::workload};

/// "keys": the word of the command line.
std::string_view to_string(Service service);
std::optional<Service> parse_service(std::string_view text);
/// "keyd": the name of the daemon of the original, in paths.
std::string_view daemon_name(Service service);
/// "aziotks": the user of the original's packages.
std::string_view user_name(Service service);

/// Every path of the edge device, under `root` (interfaces.md 2; edge-runtime.md 0.1). root "/" is the
/// packaged layout.
class Paths {
  public:
    explicit Paths(std::filesystem::path root) : root_(std::move(root)) {}

    const std::filesystem::path& root() const { return root_; }
    std::filesystem::path configuration() const { return etc() / "config.toml"; }
    std::filesystem::path configuration_directory() const { return etc() / "config.d"; }
    /// Directory of one service's own configuration: "etc/aziot/keyd".
    std::filesystem::path service_etc(Service service) const { return etc() / daemon_name(service); }
    std::filesystem::path service_file(Service service) const;
    std::filesystem::path gateway_file() const { return etc() / "gateway" / "config.d" / "00-super.toml"; }
    std::filesystem::path home(Service service) const {
        return root_ / "var/lib/aziot" / daemon_name(service);
    }
    /// "run/aziot/keyd.sock"; the workload service has one socket a module instead.
    std::filesystem::path socket(Service service) const;
    std::filesystem::path run() const { return root_ / "run/aziot"; }
    /// Where an inline symmetric key goes (edge-runtime.md 8.3).
    std::filesystem::path device_key() const { return root_ / "var/secrets/aziot/keyd/device-id"; }

  private:
    std::filesystem::path etc() const { return root_ / "etc/aziot"; }
    std::filesystem::path root_;
};

/// "<S>-<H>": S is the id with everything but ASCII letters and digits removed, H the lower-case hex SHA-256
/// of the id (edge-runtime.md 1.6): how keys, certificates and module backups are named on disk.
std::string file_stem(std::string_view id);

/// A module's id without the leading `$` of system modules, as in socket names and certificate ids.
std::string_view bare_module(std::string_view module);
/// Under which id a module's identity certificate is kept (edge-runtime.md 7.4).
std::string module_identity_certificate(std::string_view module);
std::filesystem::path module_socket(const std::filesystem::path& edged_home, std::string_view module);

/// The path of a "file:///absolute/path" URI.
base::Result<std::filesystem::path> file_of_uri(std::string_view uri);

}  // namespace edge
