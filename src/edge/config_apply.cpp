// SPDX-License-Identifier: Apache-2.0
#include "edge/config_apply.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/result.hpp"
#include "edge/clock_floor.hpp"
#include "edge/given_pairs.hpp"
#include "edge/service_files.hpp"
#include "edge/service_user.hpp"
#include "edge/supervisor.hpp"

namespace edge {
namespace {

base::Result<Configuration> read(const Application& application) {
    const auto& paths = application.paths;
    if (!application.file) return read_configuration(paths);
    // It must be there: read_joined takes an absent file for an empty one.
    SP_TRY(return, const auto text, base::read_file(*application.file, "configuration"));
    SP_TRY(return, auto table, read_joined(*application.file, paths.configuration_directory()));
    return read_configuration(std::move(table));
}

// One error of the reader holds a line a problem.
std::vector<base::Error> each_problem(const base::Error& error) {
    std::vector<base::Error> out;
    const auto lines = base::split(error.reason, '\n');
    for (std::size_t i = 1; i < lines.size(); ++i)
        out.push_back({error.code, error.thing, std::string(lines[i]), ""});
    if (out.empty()) out.push_back(error);
    return out;
}

bool device_key_differs(const Configuration& configuration, const Paths& paths) {
    if (!configuration.device) return false;
    const auto* key = std::get_if<SymmetricCredential>(&configuration.device->credential);
    if (!key || !key->value) return false;
    const auto present = base::read_secret_file(paths.device_key(), "device key");
    return !present || !(*present == *key->value);
}

std::vector<Service> changed_services(const Applied& applied) {
    std::vector<Service> out;
    for (const auto service : all_services) {
        const bool by_key =
            applied.device_key_differs && (service == Service::keys || service == Service::identity);
        const bool by_file = std::ranges::any_of(
            applied.differences, [&](const Difference& each) { return each.service == service; });
        if (by_key || by_file) out.push_back(service);
    }
    return out;
}

base::Status install(const Application& application) {
    std::error_code ignored;
    const auto into = application.paths.configuration();
    if (!application.file || std::filesystem::equivalent(*application.file, into, ignored)) return {};
    SP_TRY(return, const auto text, base::read_file(*application.file, "configuration"));
    return base::write_atomically(into, text, base::secret_mode);
}

// An inline key is a secret in config.toml.
void look_at_mode(const Configuration& configuration, const std::filesystem::path& file, Findings& out) {
    const auto* key =
        configuration.device ? std::get_if<SymmetricCredential>(&configuration.device->credential) : nullptr;
    struct stat info{};
    if (!key || !key->value || ::stat(file.c_str(), &info) != 0 || (info.st_mode & 077) == 0) return;
    out.warnings.push_back({base::Code::permission_denied, "configuration " + file.string(),
                            "holds the device's key and may be read by others than its owner",
                            fmt::format("run chmod 600 {}", file.string())});
}

/// Reads as the services' users would: root's own eyes see every file.
Findings look_at_rights(const Configuration& configuration, const Paths& paths) {
    Findings out;
    for (const auto& [service, uri] : files_by_service(configuration)) {
        const auto user = user_to_become(service, paths);
        const auto file = file_of_uri(uri);
        if (!user || !*user || !file) continue;
        if (auto readable = check_readable(**user, *file); !readable)
            out.problems.push_back(std::move(readable).error());
    }
    return out;
}

}  // namespace

bool Applied::concerns_gateway() const {
    return std::ranges::any_of(differences, [](const Difference& each) {
        return each.service == Service::workload &&
               (each.key == "hostname" || each.key == "parent_hostname" || each.key.starts_with("hub.") ||
                each.key.starts_with("gateway.") || each.key.starts_with("crl_"));
    });
}

std::optional<Configuration> examine(base::Result<Configuration> read, base::Instant now,
                                     Findings& findings) {
    if (!read) {
        findings.problems = each_problem(read.error());
        return std::nullopt;
    }
    findings.add(look_at_files(*read));
    findings.add(look_at_chains(*read, now));
    findings.add(look_at_principals(*read));
    return *std::move(read);
}

base::Result<Applied> apply_configuration(const Application& application, base::Instant now) {
    const auto& paths = application.paths;
    Applied out;
    const auto configuration = examine(read(application), now, out.findings);
    if (!configuration) return out;
    out.notices = configuration->notices;
    look_at_mode(*configuration, application.file.value_or(paths.configuration()), out.findings);
    SP_TRY(return, const auto users, users_of(paths));
    out.findings.add(look_at_rights(*configuration, paths));
    out.differences =
        differences(present_service_files(paths), split_configuration(*configuration, paths, users));
    out.device_key_differs = device_key_differs(*configuration, paths);
    if (!out.is_good() || application.dry_run) return out;
    const auto changed = changed_services(out);
    if (auto written = write_service_files(*configuration, paths, users, gives_up_root(paths)); !written)
        return std::unexpected(written.error());
    if (auto installed = install(application); !installed) return std::unexpected(installed.error());
    out.written = true;
    // Root, who looks at this machine, vouches for its clock.
    SP_TRY(return, out.floor_taken_back, lower_clock_floor(paths, now));
    SP_TRY(return, out.take_over, take_over(paths, changed));
    return out;
}

}  // namespace edge
