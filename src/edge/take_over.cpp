// SPDX-License-Identifier: Apache-2.0
#include "edge/take_over.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <cerrno>
#include <thread>

#include "base/result.hpp"
#include "edge/command.hpp"
#include "edge/running.hpp"
#include "edge/service_files.hpp"

namespace edge {
namespace {

std::vector<Service> services_behind(const Running& running, const std::map<Service, std::string>& wanted) {
    std::vector<Service> out;
    for (const auto& [service, fingerprint] : wanted)
        if (running.started_with.at(service) != fingerprint) out.push_back(service);
    return out;
}

base::Result<TakeOver> by_edge_run(const Paths& paths, pid_t process, std::vector<Service> changed,
                                   std::chrono::seconds limit) {
    const auto wanted = fingerprints(paths);
    if (const auto running = read_running(paths); running && running->process == process) {
        changed = services_behind(*running, wanted);
        if (changed.empty()) return TakeOver{TakeOver::By::edge_run, {}};
    }
    const auto thing = fmt::format("edge run (process {})", process);
    if (::kill(process, SIGUSR1) != 0) return base::fail_errno(errno, thing, "signalled");
    constexpr std::chrono::milliseconds between_looks{20};
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < deadline) {
        const auto running = read_running(paths);
        if (running && running->process == process && services_behind(*running, wanted).empty())
            return TakeOver{TakeOver::By::edge_run, std::move(changed)};
        if (supervisor_of(paths) != process)
            return base::fail(base::Code::unavailable, thing, "ended while it took the configuration over",
                              "see its log for the reason, and start it again");
        std::this_thread::sleep_for(between_looks);
    }
    return base::fail(base::Code::timeout, thing,
                      fmt::format("did not have all services serve again within {} s", limit.count()),
                      "see its log: a service may wait for something");
}

base::Result<TakeOver> by_systemd(const std::vector<Service>& changed, std::chrono::seconds limit) {
    std::vector<std::string> command{"systemctl", "try-restart"};
    for (const auto service : changed) command.push_back(unit_of(service));
    if (auto done = run_command(command, limit); !done) return std::unexpected(std::move(done).error());
    return TakeOver{TakeOver::By::systemd, changed};
}

}  // namespace

bool systemd_runs() {
    std::error_code ignored;
    return std::filesystem::is_directory("/run/systemd/system", ignored);
}

std::string unit_of(Service service) {
    return fmt::format("sallyport-{}.service", to_string(service));
}

base::Result<TakeOver> take_over(const Paths& paths, const std::vector<Service>& changed,
                                 std::chrono::seconds limit) {
    if (const auto process = supervisor_of(paths)) return by_edge_run(paths, *process, changed, limit);
    if (!changed.empty() && paths.root() == "/" && systemd_runs()) return by_systemd(changed, limit);
    return TakeOver{};
}

}  // namespace edge
