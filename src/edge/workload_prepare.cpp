// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "edge/edge_ca.hpp"
#include "edge/module_environment.hpp"
#include "edge/workload_service.hpp"
#include "net/clock_watch.hpp"

namespace edge {
namespace {

constexpr std::chrono::seconds first_pause{1};
constexpr std::chrono::seconds longest_pause{15};
// How soon a new generation id reaches the module's files. More often at first: a device that was registered
// anew while it was off learns of it in its first minute.
constexpr std::chrono::seconds between_looks{30};

}  // namespace

base::Status WorkloadService::listen(net::Loop& loop) {
    const auto directory = config_.home / "mnt";
    if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST)
        return base::fail_errno(errno, "directory " + directory.string(), "made");
    // Callers are other users, and the umask may have taken their way in.
    if (::chmod(directory.c_str(), 0755) != 0)
        return base::fail_errno(errno, "directory " + directory.string(), "given its mode");
    for (const auto& module : modules_) {
        const auto path = module_socket(config_.home, module->rules.id);
        auto opened = net::UnixListener::open(loop, path.string(), 0666,
                                              serve_local(*module->api, config_.max_requests, Keep::closed));
        if (!opened) return std::unexpected(std::move(opened).error());
        module->listener = *std::move(opened);
    }
    return {};
}

// Answers whether the module has an identity and its files are right.
net::Task<bool> WorkloadService::look_at(Module* module) {
    auto found = co_await identity_.module(module->rules.id);
    if (!found) {
        base::log::write(base::log::Level::debug, base::events::device_not_provisioned, found.error(),
                         {{"module", module->rules.id}});
        co_return module->identity.has_value();
    }
    auto written = write_module_files(config_, *found);
    module->identity = *std::move(found);
    if (!written) {
        base::log::error(base::events::module_environment_written, written.error(),
                         {{"module", module->rules.id}});
        co_return false;
    }
    if (*written)
        base::log::info(base::events::module_environment_written,
                        {{"module", module->rules.id}, {"generation", module->identity->generation}});
    co_return true;
}

net::Task<> WorkloadService::prepare(std::function<void()> ready) {
    wake_.emplace();
    const net::ClockWatch clock_watch([this] { wake_->notify(); });
    auto pause = first_pause;
    co_await edge_ca_.first_step();
    // Its own task says what is missing, and goes on trying.
    while (!stopping_ && !edge_ca_.whole()) co_await wake_->wait(first_pause);
    bool told = false;
    while (!stopping_) {
        bool all = true;
        for (const auto& module : modules_) {
            const bool good = co_await look_at(module.get());
            all = all && good;
        }
        // Only now, so that who starts the gateway next finds its files where the hub could be reached.
        if (!std::exchange(told, true)) ready();
        co_await wake_->wait(pause);
        pause = std::min(pause * 2, all ? between_looks : longest_pause);
    }
}

void WorkloadService::stop() {
    stopping_ = true;
    for (const auto& module : modules_) module->listener.reset();
    edge_ca_.stop();
    if (wake_) wake_->notify();
}

}  // namespace edge
