// SPDX-License-Identifier: Apache-2.0
#include "edge/module_environment.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/file.hpp"
#include "base/result.hpp"
#include "edge/toml_text.hpp"

namespace edge {
namespace {

constexpr std::string_view gateway_module = "$edgeHub";

// Double quotes with backslashes before what a shell would expand; systemd takes the same ones away.
std::string shell_quoted(std::string_view value) {
    std::string out = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\' || c == '$' || c == '`') out += '\\';
        out += c;
    }
    return out + '"';
}

bool uses_certificate(const WorkloadConfig& config, std::string_view module) {
    return std::ranges::any_of(config.modules,
                               [&](const WorkloadModule& each) { return each.id == module && each.x509; });
}

base::Result<bool> replace_if_different(const std::filesystem::path& file, const std::string& text,
                                        mode_t mode) {
    const auto present = base::read_file(file, "file");
    if (present && *present == text) return false;
    if (auto written = base::write_atomically(file, text, mode); !written)
        return std::unexpected(written.error());
    return true;
}

// The gateway reads it as a user of its own where the packaged directory has its group; it holds no secret.
mode_t gateway_file_mode(const std::filesystem::path& directory) {
    struct stat found{};
    const bool shared = ::stat(directory.c_str(), &found) == 0 && (found.st_mode & S_ISGID) != 0;
    return shared ? 0640 : base::secret_mode;
}

}  // namespace

Environment module_environment(const WorkloadConfig& config, const ModuleIdentity& identity) {
    Environment out{
        {"IOTEDGE_WORKLOADURI", "unix://" + module_socket(config.home, identity.module).string()},
        {"IOTEDGE_APIVERSION", "2022-08-03"},
        {"IOTEDGE_DEVICEID", identity.device.device},
        {"IOTEDGE_MODULEID", identity.module},
        {"IOTEDGE_MODULEGENERATIONID", identity.generation},
        {"IOTEDGE_IOTHUBHOSTNAME", identity.device.hub},
        {"IOTEDGE_AUTHSCHEME", uses_certificate(config, identity.module) ? "x509" : "sasToken"},
    };
    const bool is_gateway = identity.module == gateway_module;
    if (is_gateway) {
        out.emplace_back("EdgeDeviceHostName", config.hostname);
        if (config.parent) out.emplace_back("IOTEDGE_GATEWAYHOSTNAME", *config.parent);
    } else {
        out.emplace_back("IOTEDGE_GATEWAYHOSTNAME", config.hostname);
        if (config.parent) out.emplace_back("IOTEDGE_PARENTHOSTNAME", *config.parent);
    }
    return out;
}

std::string environment_file(const Environment& environment) {
    std::string text;
    for (const auto& [name, value] : environment) text += fmt::format("{}={}\n", name, shell_quoted(value));
    return text;
}

std::string gateway_file(const WorkloadConfig& config, const Environment& environment) {
    TomlText out;
    out.set("hostname", config.hostname);
    if (!config.revocation.crl_urls.empty()) out.set("crl_urls", config.revocation.crl_urls);
    if (config.revocation.crl_max_age) out.set("crl_max_age", *config.revocation.crl_max_age);
    out.table({"hub"});
    out.set("name", config.hub.name);
    out.set("address", config.hub.address);
    out.set("mqtt_port", std::int64_t{config.hub.mqtt_port});
    out.set("https_port", std::int64_t{config.hub.https_port});
    if (config.hub.trusted_certs) out.set("trusted_certs", *config.hub.trusted_certs);
    const auto& listen = config.gateway_listen;
    if (listen.address || listen.mqtt_port || listen.https_port) {
        out.table({"listen"});
        if (listen.address) out.set("address", *listen.address);
        if (listen.mqtt_port) out.set("mqtt_port", std::int64_t{*listen.mqtt_port});
        if (listen.https_port) out.set("https_port", std::int64_t{*listen.https_port});
    }
    out.table({"environment"});
    for (const auto& [name, value] : environment) out.set(name, std::string_view(value));
    return out.text();
}

base::Result<bool> write_module_files(const WorkloadConfig& config, const ModuleIdentity& identity) {
    const auto directory = config.home / "env";
    if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST)
        return base::fail_errno(errno, "directory " + directory.string(), "made");
    // Modules are other users, and the umask may have taken their way in.
    if (::chmod(directory.c_str(), 0755) != 0)
        return base::fail_errno(errno, "directory " + directory.string(), "given its mode");
    const auto environment = module_environment(config, identity);
    const auto name = fmt::format("{}.env", bare_module(identity.module));
    SP_TRY(return, const bool first,
                 replace_if_different(directory / name, environment_file(environment), base::public_mode));
    if (identity.module != gateway_module) return first;
    if (auto made = base::make_private_directories(config.gateway_file.parent_path()); !made)
        return std::unexpected(made.error());
    SP_TRY(return, const bool second,
                 replace_if_different(config.gateway_file, gateway_file(config, environment),
                                      gateway_file_mode(config.gateway_file.parent_path())));
    return first || second;
}

}  // namespace edge
