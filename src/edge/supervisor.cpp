// SPDX-License-Identifier: Apache-2.0
#include "edge/supervisor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "edge/children.hpp"
#include "edge/given_files.hpp"
#include "edge/running.hpp"
#include "edge/service_files.hpp"
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

/// The four children: started one after the other, for each needs the sockets of those before it, and
/// restarted where what they read has changed.
class Supervision {
  public:
    Supervision(const SupervisorRun& run, const Signals& signals) : run_(run), children_(signals) {}
    base::Status run();

  private:
    base::Status step();
    base::Status start(Service service);
    base::Status tell_ready();
    void retire_changed();
    const Service* next_missing() const;

    const SupervisorRun& run_;
    Children children_;
    std::map<Service, std::string> started_with_;
    bool whole_ = false;  ///< all four serve, and this has been told
    bool first_ = true;
};

const Service* Supervision::next_missing() const {
    const auto found =
        std::ranges::find_if(all_services, [&](Service service) { return !children_.is_alive(service); });
    return found == all_services.end() ? nullptr : found;
}

base::Status Supervision::start(Service service) {
    started_with_[service] = fingerprints(run_.paths)[service];
    return children_.start(service, command_of(run_, service));
}

void Supervision::retire_changed() {
    for (const auto& [service, now] : fingerprints(run_.paths)) {
        if (now == started_with_[service]) continue;
        base::log::info(base::events::service_restarted, {{"service", std::string(to_string(service))}});
        children_.retire(service);
        whole_ = false;
    }
}

base::Status Supervision::tell_ready() {
    whole_ = true;
    if (auto written = write_running(run_.paths, {::getpid(), started_with_}); !written) return written;
    if (!std::exchange(first_, false)) {
        base::log::info(base::events::configuration_taken_over);
        return {};
    }
    base::log::info(base::events::role_started, {{"root", run_.paths.root().string()}});
    if (!run_.ready_file) return {};
    return base::write_atomically(*run_.ready_file, fmt::format("EDGE_PID={}\nEDGE_READY=1\n", ::getpid()),
                                  base::secret_mode);
}

base::Status Supervision::step() {
    if (!children_.all_ready() || !children_.none_retiring()) return {};
    if (const auto* missing = next_missing()) return start(*missing);
    if (!whole_)
        if (auto told = tell_ready(); !told) return told;
    if (children_.take_reload()) retire_changed();
    return {};
}

base::Status Supervision::run() {
    base::Status done;
    while (!children_.stopping()) {
        done = step();
        if (!done) {
            children_.stop();
            break;
        }
        children_.wait_for_event();
    }
    children_.wait_for_all();
    forget_running(run_.paths);
    base::log::info(base::events::role_stopped);
    return done ? children_.result() : done;
}

}  // namespace

base::Result<Users> users_of(const Paths& paths) {
    Users users;
    users.module_default = ::geteuid();
    if (const auto gateway = find_user(gateway_user); gives_up_root(paths) && gateway && gateway->uid != 0) {
        users.gateway = gateway->uid;
        users.gateway_group = gateway->gid;
    }
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
    // Before the lock: who sees it held may signal this process.
    SP_TRY(return, const auto signals, Signals::block());
    // Before anything is written: a second one must not change what the running one reads.
    if (auto made = make_shared_home(run.paths); !made) return made;
    SP_TRY(return, const auto lock, base::DirectoryLock::take(run.paths.root() / "var/lib/aziot"));
    forget_running(run.paths);
    if (auto written = write_service_files(configuration, run.paths, users, gives_up_root(run.paths));
        !written)
        return written;
    if (run.ready_file) {
        std::error_code ignored;
        std::filesystem::remove(*run.ready_file, ignored);
    }

    return Supervision(run, signals).run();
}

}  // namespace edge
