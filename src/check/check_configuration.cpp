// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "base/file.hpp"
#include "check/check.hpp"
#include "edge/service_config.hpp"
#include "edge/supervisor.hpp"

namespace check {
namespace {

using edge::Service;

constexpr const char* write_anew =
    "start sallyport edge run again (or run sallyport edge config apply): it writes this file";

Finding config_well_formed(const Device& device) {
    if (device.configuration)
        return ok(
            fmt::format("{} parses, and every key in it is known", device.paths.configuration().string()));
    return failed(device.configuration.error(),
                  fmt::format("correct {}; docs/reference/edge.md lists every key and its bounds",
                              device.paths.configuration().string()));
}

template <auto Read>
Finding service_config(const Device& device, Service service) {
    const auto file = device.paths.service_file(service);
    if (const auto there = look_at(file); !there) {
        if (there.error().code != base::Code::not_found) return failed(there.error(), write_anew);
        return error(fmt::format("{} has not been written", file.string()), write_anew);
    }
    const auto read = Read(device.paths);
    if (!read) return failed(read.error(), write_anew);
    return ok(fmt::format("{} parses", file.string()));
}

Finding keyd_config(const Device& device) {
    return service_config<edge::read_keys_config>(device, Service::keys);
}
Finding certd_config(const Device& device) {
    return service_config<edge::read_certificates_config>(device, Service::certificates);
}
Finding identityd_config(const Device& device) {
    return service_config<edge::read_identity_config>(device, Service::identity);
}
Finding edged_config(const Device& device) {
    return service_config<edge::read_workload_config>(device, Service::workload);
}

Finding is_up_to_date(const Device& device, const edge::Users& users, Service service) {
    const auto file = device.paths.service_file(service);
    const auto written = base::read_file(file, "configuration");
    if (!written) return failed(written.error(), write_anew);
    const auto texts = edge::split_configuration(*device.configuration, device.paths, users);
    if (*written == texts.at(service)) return ok("");
    return warning(fmt::format("config.toml says something else than {}, which the {} service reads",
                               file.string(), edge::to_string(service)),
                   "run sallyport edge config apply, or start sallyport edge run again");
}

Finding are_up_to_date(const Device& device, std::initializer_list<Service> services) {
    const auto users = edge::users_of(device.paths);
    if (!users) return failed(users.error(), "install the package, which makes the users");
    std::vector<Finding> all;
    for (const auto service : services) all.push_back(is_up_to_date(device, *users, service));
    return worst(all, "the services read what config.toml says");
}

Finding configs_up_to_date(const Device& device) {
    return are_up_to_date(device, {Service::keys, Service::certificates, Service::identity});
}
Finding config_up_to_date(const Device& device) {
    return are_up_to_date(device, {Service::workload});
}

bool holds_secret(const edge::Configuration& configuration) {
    if (!configuration.device) return false;
    const auto* key = std::get_if<edge::SymmetricCredential>(&configuration.device->credential);
    return key && key->value;
}

Finding judge_config_file(const Entry& entry, bool secret, bool packaged) {
    const auto path = entry.path.string();
    const bool readable = (entry.mode & 077) != 0;
    if (readable && secret)
        return error(
            fmt::format("{} holds a key and others may use it (mode {:04o})", path, entry.mode & 07777),
            fmt::format("run chmod 600 {} and replace the key", path));
    if ((entry.mode & 022) != 0)
        return error(
            fmt::format("{} can be changed by others than its owner (mode {:04o})", path, entry.mode & 07777),
            fmt::format("run chmod 600 {}", path));
    if (packaged && entry.owner != 0)
        return error(
            fmt::format("{} belongs to the user {}, and what it says is done by root", path, entry.owner),
            fmt::format("run chown root:root {}", path));
    if (readable)
        return warning(fmt::format("{} may be read by others (mode {:04o})", path, entry.mode & 07777),
                       fmt::format("run chmod 600 {}: it may hold keys one day", path));
    return ok("");
}

Finding config_permissions(const Device& device) {
    std::vector<std::filesystem::path> files{device.paths.configuration()};
    std::error_code none;
    for (const auto& each : std::filesystem::directory_iterator(device.paths.configuration_directory(), none))
        if (each.path().extension() == ".toml") files.push_back(each.path());
    std::vector<Finding> all;
    for (const auto& file : files) {
        const auto entry = look_at(file);
        all.push_back(entry ? judge_config_file(*entry, holds_secret(*device.configuration), device.packaged)
                            : failed(entry.error(), "put the file back"));
    }
    return worst(all, "config.toml is its owner's alone");
}

Finding tpmd_config(const Device&) {
    return ignored("no key of this device is in a TPM: there is no TPM service");
}

}  // namespace

std::span<const Check> configuration_checks() {
    constexpr const char* group = "configuration";
    static constexpr std::array table{
        Check{"config-well-formed", group, "config.toml parses, and every key in it is known",
              Check::Needs::nothing, config_well_formed},
        Check{"config-permissions", group, "config.toml can be read by its owner alone",
              Check::Needs::configuration, config_permissions},
        Check{"keyd-config-well-formed", group, "the keys service can read its configuration",
              Check::Needs::nothing, keyd_config},
        Check{"certd-config-well-formed", group, "the certificates service can read its configuration",
              Check::Needs::nothing, certd_config},
        Check{"tpmd-config-well-formed", group, "the TPM service can read its configuration",
              Check::Needs::nothing, tpmd_config},
        Check{"identityd-config-well-formed", group, "the identity service can read its configuration",
              Check::Needs::nothing, identityd_config},
        Check{"aziot-edged-config-well-formed", group, "the workload service can read its configuration",
              Check::Needs::nothing, edged_config},
        Check{"configs-up-to-date", group,
              "keys, certificates and identity services read what config.toml says",
              Check::Needs::configuration, configs_up_to_date},
        Check{"config-up-to-date", group, "the workload service reads what config.toml says",
              Check::Needs::configuration, config_up_to_date},
    };
    return table;
}

}  // namespace check
