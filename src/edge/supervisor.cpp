// SPDX-License-Identifier: Apache-2.0
#include "edge/supervisor.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "edge/children.hpp"
#include "edge/config_split.hpp"
#include "edge/given_files.hpp"
#include "edge/service_user.hpp"

namespace edge {
namespace {

std::vector<std::string> command_of(const SupervisorRun& run, Service service) {
    std::vector<std::string> command{"sallyport"};
    command.insert(command.end(), run.arguments.begin(), run.arguments.end());
    command.insert(command.end(), {"edge", "run", "--service", std::string(to_string(service)), "--root",
                                   run.paths.root().string()});
    return command;
}

base::Status tell_all_ready(const SupervisorRun& run) {
    base::log::info(base::events::role_started, {{"root", run.paths.root().string()}});
    if (!run.ready_file) return {};
    return base::write_atomically(*run.ready_file, fmt::format("EDGE_PID={}\nEDGE_READY=1\n", ::getpid()),
                                  base::secret_mode);
}

}  // namespace

base::Result<Users> users_of(const Paths& paths) {
    Users users;
    users.module_default = ::geteuid();
    for (const auto service : all_services) {
        SP_TRY(return, const auto user, user_to_become(service, paths));
        users.service[service] = user ? user->uid : ::geteuid();
    }
    return users;
}

base::Status supervise(const SupervisorRun& run) {
    SP_TRY(return, const auto configuration, read_configuration(run.paths));
    if (auto good = check_given_files(configuration); !good) return good;
    for (const auto& notice : configuration.notices)
        base::log::warning(base::events::configuration_noticed, {{"reason", notice}});
    SP_TRY(return, const auto users, users_of(run.paths));
    // Before anything is written: a second one must not change what the running one reads.
    if (auto made = make_shared_home(run.paths); !made) return made;
    SP_TRY(return, const auto lock, base::DirectoryLock::take(run.paths.root() / "var/lib/aziot"));
    if (auto written = write_service_files(configuration, run.paths, users, gives_up_root(run.paths));
        !written)
        return written;
    if (run.ready_file) {
        std::error_code ignored;
        std::filesystem::remove(*run.ready_file, ignored);
    }

    SP_TRY(return, auto signals, Signals::block());
    Children children(signals);
    std::size_t started = 0;
    bool told = false;
    // One after the other: each needs the sockets of those before it.
    while (!children.stopping() && !told) {
        if (started == children.ready() && started < all_services.size()) {
            const auto service = all_services[started++];
            if (auto made = children.start(service, command_of(run, service)); !made) {
                children.stop();
                children.wait_for_all();
                return made;
            }
        }
        children.wait_for_event();
        if (children.ready() == all_services.size()) {
            told = true;
            if (auto done = tell_all_ready(run); !done) {
                children.stop();
                children.wait_for_all();
                return done;
            }
        }
    }
    children.wait_for_all();
    base::log::info(base::events::role_stopped);
    return children.result();
}

}  // namespace edge
