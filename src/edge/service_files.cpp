// SPDX-License-Identifier: Apache-2.0
#include "edge/service_files.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.hpp"
#include "base/result.hpp"
#include "pki/digest.hpp"

namespace edge {
namespace {

base::Status give_to(const std::filesystem::path& path, std::optional<uid_t> user) {
    // Never through a link, which a service's user may have put there.
    if (!user || ::lchown(path.c_str(), *user, static_cast<gid_t>(-1)) == 0) return {};
    return base::fail_errno(errno, path.string(), "given to its service's user");
}

// The directories above belong to all services and are open for passing through.
base::Status make_open_directory(const std::filesystem::path& path) {
    std::error_code why;
    if (std::filesystem::is_directory(path, why)) return {};
    if (path.has_parent_path() && path.parent_path() != path)
        if (auto made = make_open_directory(path.parent_path()); !made) return made;
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
        return base::fail_errno(errno, "directory " + path.string(), "made");
    if (::chmod(path.c_str(), 0755) != 0)
        return base::fail_errno(errno, "directory " + path.string(), "given its mode");
    return {};
}

base::Status make_own_directory(const std::filesystem::path& path, std::optional<uid_t> owner) {
    if (auto made = base::make_private_directories(path); !made) return made;
    return give_to(path, owner);
}

std::filesystem::path etc(const Paths& paths) {
    return paths.configuration().parent_path();
}

std::filesystem::path mark(const Paths& paths) {
    return etc(paths) / ".settling";
}

// In the order in which they are renamed: the key before the file that names it.
std::vector<std::filesystem::path> all_files(const Paths& paths) {
    std::vector<std::filesystem::path> files{paths.device_key()};
    for (const auto service : all_services) files.push_back(paths.service_file(service));
    return files;
}

base::Status make_service_directories(const Paths& paths, Service service, std::optional<uid_t> owner) {
    const auto file = paths.service_file(service);
    for (const auto& directory : {paths.service_etc(service), file.parent_path()}) {
        // Root's, where services have users of their own: who owns the directory could put a link in place of
        // what root writes into it.
        auto made = owner ? make_open_directory(directory) : make_own_directory(directory, std::nullopt);
        if (made && owner) made = give_to(directory, 0);
        if (!made) return made;
    }
    return make_own_directory(paths.home(service), owner);
}

/// Lets a group in, which files made there then have. Where it is in already nothing is changed: a confined
/// process may not set that mode.
base::Status share_with(const std::filesystem::path& directory, gid_t group) {
    constexpr mode_t shared = S_ISGID | 0750;
    struct stat found{};
    if (::stat(directory.c_str(), &found) == 0 && found.st_gid == group && (found.st_mode & 07777) == shared)
        return {};
    if (::lchown(directory.c_str(), static_cast<uid_t>(-1), group) != 0 ||
        ::chmod(directory.c_str(), shared) != 0)
        return base::fail_errno(errno, "directory " + directory.string(), "shared with the gateway");
    return {};
}

/// Written by the workload service, read by the gateway.
base::Status make_gateway_directories(const Paths& paths, const Users& users, bool give_away) {
    const auto inner = paths.gateway_file().parent_path();
    const auto workload = give_away ? std::optional(users.service.at(Service::workload)) : std::nullopt;
    for (const auto& directory : {inner.parent_path(), inner}) {
        if (auto made = make_own_directory(directory, workload); !made) return made;
        if (!users.gateway_group) continue;
        if (auto shared = share_with(directory, *users.gateway_group); !shared) return shared;
    }
    return {};
}

base::Status make_directories(const Paths& paths, const Users& users, bool give_away) {
    for (const auto& shared : {paths.root() / "var/lib/aziot", paths.run(), etc(paths),
                               paths.device_key().parent_path().parent_path()})
        if (auto made = make_open_directory(shared); !made) return made;
    for (const auto service : all_services) {
        const auto owner = give_away ? std::optional(users.service.at(service)) : std::nullopt;
        if (auto made = make_service_directories(paths, service, owner); !made) return made;
    }
    // Module sockets lie under edged's home, which callers of any user must be able to pass (edge-runtime.md
    // 0.1).
    if (::chmod(paths.home(Service::workload).c_str(), 0755) != 0)
        return base::fail_errno(errno, "directory " + paths.home(Service::workload).string(),
                                "given its mode");
    return make_gateway_directories(paths, users, give_away);
}

bool is_there(const std::filesystem::path& file, std::span<const std::byte> content,
              std::optional<uid_t> owner) {
    struct stat found{};
    if (::lstat(file.c_str(), &found) != 0 || !S_ISREG(found.st_mode) ||
        (found.st_mode & 07777) != base::secret_mode || found.st_uid != owner.value_or(::geteuid()))
        return false;
    const auto present = base::read_secret_file(file, "service file");
    return present && base::equal_constant_time(present->bytes(), content);
}

// What is there already is not written again: a device that comes back serves that much sooner.
base::Status stage(const std::filesystem::path& file, std::span<const std::byte> content,
                   std::optional<uid_t> owner) {
    if (is_there(file, content, owner)) return {};
    if (auto written = base::write_atomically(file_beside(file), content, base::secret_mode); !written)
        return written;
    return give_to(file_beside(file), owner);
}

base::Status stage_all(const Configuration& configuration, const Paths& paths, const Users& users,
                       bool give_away) {
    const auto owner = [&](Service service) {
        return give_away ? std::optional(users.service.at(service)) : std::nullopt;
    };
    for (const auto& [service, text] : split_configuration(configuration, paths, users))
        if (auto done = stage(paths.service_file(service), base::as_bytes(text), owner(service)); !done)
            return done;
    if (!configuration.device) return {};
    const auto* key = std::get_if<SymmetricCredential>(&configuration.device->credential);
    if (!key || !key->value) return {};
    if (auto made = make_own_directory(paths.device_key().parent_path(), owner(Service::keys)); !made)
        return made;
    return stage(paths.device_key(), key->value->bytes(), owner(Service::keys));
}

bool is_anything_staged(const Paths& paths) {
    std::error_code ignored;
    return std::ranges::any_of(all_files(paths), [&](const auto& file) {
        return std::filesystem::exists(file_beside(file), ignored);
    });
}

void unstage(const Paths& paths) {
    std::error_code ignored;
    for (const auto& file : all_files(paths)) std::filesystem::remove(file_beside(file), ignored);
}

// Renames what lies beside; also what an earlier process could not finish.
base::Status settle(const Paths& paths) {
    for (const auto& file : all_files(paths)) {
        if (::rename(file_beside(file).c_str(), file.c_str()) != 0) {
            if (errno == ENOENT) continue;
            return base::fail_errno(errno, "file " + file.string(), "put in place");
        }
        if (auto synced = base::sync_directory(file.parent_path()); !synced) return synced;
    }
    if (::unlink(mark(paths).c_str()) != 0 && errno != ENOENT)
        return base::fail_errno(errno, "file " + mark(paths).string(), "removed");
    return base::sync_directory(etc(paths));
}

std::string read_or_nothing(const std::filesystem::path& file) {
    return base::read_file(file, "service file").value_or("");
}

}  // namespace

base::Status make_shared_home(const Paths& paths) {
    return make_open_directory(paths.root() / "var/lib/aziot");
}

std::filesystem::path file_beside(const std::filesystem::path& file) {
    return file.string() + ".next";
}

bool is_settling(const Paths& paths) {
    std::error_code ignored;
    return std::filesystem::exists(mark(paths), ignored);
}

base::Status write_service_files(const Configuration& configuration, const Paths& paths, const Users& users,
                                 bool give_away) {
    if (auto made = make_directories(paths, users, give_away); !made) return made;
    SP_TRY(return, const auto lock, base::DirectoryLock::take(etc(paths)));
    if (is_settling(paths))
        if (auto done = settle(paths); !done) return done;
    // What an earlier process staged and never marked does not count.
    unstage(paths);
    if (auto staged = stage_all(configuration, paths, users, give_away); !staged) {
        unstage(paths);
        return staged;
    }
    if (!is_anything_staged(paths)) return {};
    if (auto set = base::write_atomically(mark(paths), "", base::public_mode); !set) {
        unstage(paths);
        return set;
    }
    return settle(paths);
}

std::map<Service, std::string> present_service_files(const Paths& paths) {
    const bool settling = is_settling(paths);
    std::map<Service, std::string> out;
    for (const auto service : all_services) {
        const auto file = paths.service_file(service);
        out[service] = settling ? read_or_nothing(file_beside(file)) : "";
        if (out[service].empty()) out[service] = read_or_nothing(file);
    }
    return out;
}

std::map<Service, std::string> fingerprints(const Paths& paths) {
    std::map<Service, std::string> out;
    for (auto& [service, text] : present_service_files(paths)) {
        if (service == Service::keys || service == Service::identity)
            if (const auto key = base::read_secret_file(paths.device_key(), "device key"))
                text += base::to_hex(pki::sha256(key->bytes()));
        out[service] = base::to_hex(pki::sha256(base::as_bytes(text)));
    }
    return out;
}

}  // namespace edge
