// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "check/check.hpp"
#include "check/judge_name.hpp"
#include "edge/clock_floor.hpp"
#include "edge/hub_trust.hpp"

namespace check {
namespace {

constexpr const char* set_the_clock =
    "set the clock of this machine: timedatectl set-time, or systemctl enable --now systemd-timesyncd";

Finding hostname(const Device& device) {
    // Under --root several devices share one machine and each has a name of its own.
    const auto machine = device.packaged ? std::optional(device.machine_name()) : std::nullopt;
    return judge_hostname(device.hostname.value_or(device.machine_name()), machine);
}

Finding parent_hostname(const Device& device) {
    if (!device.parent) return ignored("this device has no parent");
    return judge_parent_hostname(*device.parent);
}

Finding clock_plausible(const Device& device) {
    const auto now = device.clock.now();
    std::vector<Finding> all;
    const edge::ClockFloor floor(device.clock, edge::clock_floor_file(device.paths));
    if (const auto sound = floor.sound(); !sound) all.push_back(failed(sound.error(), set_the_clock));
    for (const auto& held : device.certificates) {
        if (!held.chain || held.id == "trust-bundle-user") continue;
        const auto begin = held.chain->front().not_before();
        if (now < begin)
            all.push_back(
                error(fmt::format("it is {} here, before the {} began ({}): the clock is wrong since boot",
                                  base::format_rfc3339(now), held.thing, base::format_rfc3339(begin)),
                      set_the_clock));
    }
    return worst(all,
                 fmt::format("{} is after the build, the last time that was written down, and the beginning "
                             "of every certificate",
                             base::format_rfc3339(now)));
}

net::Task<Finding> host_local_time(Device& device) {
    if (!device.configuration->device) co_return ignored("this device is not provisioned");
    const auto target = hub_target(*device.configuration, device.configuration->device->hub.https_port);
    if (!device.hub_https) {
        auto trust = edge::hub_trust(device.configuration->device->hub);
        if (!trust) co_return skipped("the hub's anchors cannot be read: see host-connect-iothub-https");
        auto probe = co_await probe_hub(target, *trust, device.clock);
        device.hub_https = std::move(probe);
    }
    if (!device.hub_https->reached)
        co_return skipped("nobody trusted could be asked for the time: see host-connect-iothub-https");
    if (!device.hub_https->date)
        co_return unknown(fmt::format("{} answers without a Date", target.name),
                          "compare the clock by hand: date --utc");
    co_return judge_clock(device.hub_https->asked, *device.hub_https->date, target.name);
}

}  // namespace

std::span<const Check> host_checks() {
    constexpr const char* group = "host";
    static constexpr std::array table{
        Check{"hostname", group, "hostname can stand in a certificate and is this machine's",
              Check::Needs::nothing, hostname},
        Check{"parent_hostname", group, "parent_hostname can stand in a certificate", Check::Needs::nothing,
              parent_hostname},
        Check{"host-clock", group, "the clock is not before what must have happened",
              Check::Needs::configuration, clock_plausible},
        Check{"host-local-time", group, "the clock is within 10 seconds of the hub's",
              Check::Needs::configuration, host_local_time},
    };
    return table;
}

}  // namespace check
