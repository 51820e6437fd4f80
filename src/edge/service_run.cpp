// SPDX-License-Identifier: Apache-2.0
#include "edge/service_run.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "edge/certificates_service.hpp"
#include "edge/clock_floor.hpp"
#include "edge/identity_service.hpp"
#include "edge/keys_service.hpp"
#include "edge/service_config.hpp"
#include "edge/service_user.hpp"
#include "edge/workload_service.hpp"
#include "net/loop.hpp"
#include "net/service_manager.hpp"

namespace edge {
namespace {

// Connections of these services live for one request; what is left after this is not waited for.
constexpr std::chrono::seconds grace{3};

// It serves: that a service manager could not be told is its matter, not this service's end.
void tell_manager() {
    if (const auto told = net::notify_ready(); !told)
        base::log::write(base::log::Level::warning, base::events::service_ready, told.error());
}

void tell_ready(const ServiceRun& run) {
    base::log::info(base::events::service_ready, {{"service", std::string(to_string(run.service))}});
    if (!run.ready_descriptor) return;
    const char octet = '1';
    // The parent may have gone; then this service ends by its signal anyway.
    if (::write(*run.ready_descriptor, &octet, 1) != 1) return;
}

base::Status end_with_parent(const ServiceRun& run) {
    if (!run.ready_descriptor) return {};
    static const pid_t parent = ::getppid();  // of the first call, before the user changes
    if (::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) return base::fail_errno(errno, "parent's death", "watched");
    // A change of user clears the watch; a parent that ended in between would never be noticed.
    if (::getppid() != parent)
        return base::fail(base::Code::unavailable, "the process that started this service", "has ended");
    return {};
}

/// Becomes the service's own user, whose groups open the sockets of the others.
base::Status become_user(const ServiceRun& run) {
    SP_TRY(return, const auto user, user_to_become(run.service, run.paths));
    if (!user) return {};
    if (auto became = become(*user); !became) return became;
    // The kernel forgets this wish when the user changes.
    return end_with_parent(run);
}

/// Opens the socket in a directory that is root's, and hands it to the service's user and group.
base::Result<std::unique_ptr<net::UnixListener>> open_socket(const ServiceRun& run, net::Loop& loop,
                                                             net::Serve serve) {
    const auto path = run.paths.socket(run.service).string();
    SP_TRY(return, const auto user, user_to_become(run.service, run.paths));
    SP_TRY(return, auto listener, net::UnixListener::open(loop, path, 0660, std::move(serve)));
    if (user && ::chown(path.c_str(), user->uid, user->gid) != 0)
        return base::fail_errno(errno, "socket " + path, "given to its service's user");
    return listener;
}

// What a listener serves before its service exists: the socket must be bound as root, the rest runs as the
// user.
net::Task<> serve_later(std::shared_ptr<net::Serve> service, net::Stream stream) {
    co_await (*service)(std::move(stream));
}

struct Socket {
    std::shared_ptr<net::Serve> serve = std::make_shared<net::Serve>();
    std::unique_ptr<net::UnixListener> listener;
};

base::Result<Socket> bind_then_become(const ServiceRun& run, net::Loop& loop) {
    Socket socket;
    SP_TRY(return, socket.listener, open_socket(run, loop, [serve = socket.serve](net::Stream stream) {
                     return serve_later(serve, std::move(stream));
                 }));
    if (auto became = become_user(run); !became) return std::unexpected(became.error());
    return socket;
}

base::Status run_keys(const ServiceRun& run) {
    SP_TRY(return, auto config, read_keys_config(run.paths));
    net::Loops loops(1);
    SP_TRY(return, auto socket, bind_then_become(run, loops.at(0)));
    SP_TRY(return, const auto service, KeysService::make(std::move(config)));
    *socket.serve = service->serve();
    tell_manager();
    tell_ready(run);
    loops.run([&] { socket.listener.reset(); }, grace);
    return {};
}

base::Status run_certificates(const ServiceRun& run, ClockFloor& clock) {
    SP_TRY(return, auto config, read_certificates_config(run.paths));
    net::Loops loops(1);
    SP_TRY(return, auto socket, bind_then_become(run, loops.at(0)));
    SP_TRY(return, const auto service, CertificatesService::make(std::move(config), clock, &clock));
    *socket.serve = service->serve();
    loops.at(0).post([&] { clock.tell(); });
    loops.at(0).spawn("keep EST identity", service->keep_identity());
    tell_manager();
    tell_ready(run);
    loops.run(
        [&] {
            clock.end_telling();
            service->stop();
            socket.listener.reset();
        },
        grace);
    return {};
}

base::Status run_identity(const ServiceRun& run, ClockFloor& clock) {
    SP_TRY(return, auto config, read_identity_config(run.paths));
    net::Loops loops(1);
    SP_TRY(return, auto socket, bind_then_become(run, loops.at(0)));
    SP_TRY(return, const auto service, IdentityService::make(std::move(config), clock, &clock));
    const auto home = run.paths.home(Service::identity);
    if (auto made = base::make_private_directories(home); !made) return made;
    if (::chmod(home.c_str(), clock_floor_directory_mode) != 0)
        return base::fail_errno(errno, "directory " + home.string(), "given its mode");
    *socket.serve = service->serve();
    loops.at(0).post([&] { clock.tell(); });
    loops.at(0).spawn("keep device certificate", service->keep_certificate());
    loops.at(0).spawn("keep provisioned", service->keep_provisioned());
    tell_manager();
    tell_ready(run);
    loops.run(
        [&] {
            clock.end_telling();
            service->stop();
            socket.listener.reset();
        },
        grace);
    return {};
}

base::Status run_workload(const ServiceRun& run, ClockFloor& clock) {
    SP_TRY(return, auto config, read_workload_config(run.paths));
    if (auto became = become_user(run); !became) return became;
    net::Loops loops(1);
    SP_TRY(return, const auto service, WorkloadService::make(std::move(config), clock));
    if (auto listening = service->listen(loops.at(0)); !listening) return listening;
    loops.at(0).post([&] { clock.tell(); });
    loops.at(0).spawn("keep Edge CA", service->keep_edge_ca());
    // Not only with the Edge CA, which may need a network: a boot must not wait for that.
    tell_manager();
    loops.at(0).spawn("prepare modules", service->prepare([&run] { tell_ready(run); }));
    loops.run(
        [&] {
            clock.end_telling();
            service->stop();
        },
        grace);
    return {};
}

}  // namespace

base::Status run_service(const ServiceRun& run, const base::Clock& clock) {
    if (auto watched = end_with_parent(run); !watched) return watched;
    ClockFloor floored(clock, clock_floor_file(run.paths));
    switch (run.service) {
        case Service::keys:
            return run_keys(run);
        case Service::certificates:
            return run_certificates(run, floored);
        case Service::identity:
            return run_identity(run, floored);
        case Service::workload:
            return run_workload(run, floored);
    }
    return base::fail(base::Code::internal, "service", "is unknown");
}

}  // namespace edge
