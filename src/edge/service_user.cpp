// SPDX-License-Identifier: Apache-2.0
#include "edge/service_user.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/result.hpp"

namespace edge {

std::optional<ServiceUser> find_user(const std::string& name) {
    const auto* found = ::getpwnam(name.c_str());
    if (!found) return std::nullopt;
    return ServiceUser{name, found->pw_uid, found->pw_gid};
}

bool gives_up_root(const Paths& paths, uid_t present) {
    return present == 0 && paths.root() == "/";
}

bool gives_up_root(const Paths& paths) {
    return gives_up_root(paths, ::geteuid());
}

base::Result<std::optional<ServiceUser>> user_to_become(Service service, const Paths& paths, uid_t present,
                                                        const FindUser& find) {
    if (!gives_up_root(paths, present)) return std::nullopt;
    const std::string name(user_name(service));
    auto found = find(name);
    const auto thing = fmt::format("user {} of the {} service", name, to_string(service));
    const auto fix = fmt::format(
        "make it: useradd --system --user-group --no-create-home --shell /usr/sbin/nologin {} "
        "(docs/reference/edge.md has all four and their groups), or run with --root DIR",
        name);
    if (!found)
        return base::fail(base::Code::not_found, thing, "does not exist, and no service runs as root", fix);
    if (found->uid == 0)
        return base::fail(base::Code::permission_denied, thing, "has the uid 0, and no service runs as root",
                          fix);
    return found;
}

base::Result<std::optional<ServiceUser>> user_to_become(Service service, const Paths& paths) {
    return user_to_become(service, paths, ::geteuid(), find_user);
}

// No errno: this process may not become the user, and then the file is not to blame.
constexpr int not_known = 255;

base::Status check_readable(const ServiceUser& user, const std::filesystem::path& file) {
    const auto thing = "file " + file.string();
    const pid_t process = ::fork();
    if (process < 0) return base::fail_errno(errno, thing, "looked at");
    if (process == 0) {
        if (!become(user)) ::_exit(not_known);
        const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
        ::_exit(opened < 0 ? errno : 0);
    }
    int status = 0;
    while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == not_known)) return {};
    return base::fail(base::Code::permission_denied, thing,
                      fmt::format("cannot be read by {}, the user of the service that needs it", user.name),
                      fmt::format("give it to that user (chown {} {}), or move it to a directory that the "
                                  "user may pass",
                                  user.name, file.string()));
}

base::Status become(const ServiceUser& user) {
    if (::initgroups(user.name.c_str(), user.gid) != 0 || ::setresgid(user.gid, user.gid, user.gid) != 0 ||
        ::setresuid(user.uid, user.uid, user.uid) != 0)
        return base::fail_errno(errno, "user " + user.name, "become");
    return {};
}

}  // namespace edge
