// SPDX-License-Identifier: Apache-2.0
#include "edge/clock_floor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"

namespace edge {
namespace {

constexpr std::chrono::minutes tolerance{5};
constexpr std::chrono::hours between_writes{1};

base::Status write_down(const std::filesystem::path& file, base::Instant when) {
    return base::write_atomically(file, base::format_rfc3339(when) + "\n", base::public_mode);
}

}  // namespace

std::filesystem::path clock_floor_file(const Paths& paths) {
    return paths.home(Service::identity) / "clock_floor";
}

base::Instant build_time() {
    return base::Instant(std::chrono::seconds(SALLYPORT_BUILT));
}

std::optional<base::Instant> read_clock_floor(const std::filesystem::path& file) {
    const auto text = base::read_file(file, "clock floor", 64);
    if (!text) return std::nullopt;
    const auto when = base::parse_rfc3339(std::string_view(*text).substr(0, text->find('\n')));
    return when ? std::optional(*when) : std::nullopt;
}

base::Result<std::optional<base::Instant>> lower_clock_floor(const Paths& paths, base::Instant now,
                                                             base::Instant built) {
    const auto file = clock_floor_file(paths);
    const auto written = read_clock_floor(file);
    if (!written || *written <= now || now < built) return std::optional<base::Instant>();
    if (auto done = write_down(file, now); !done) return std::unexpected(done.error());
    return written;
}

ClockFloor::ClockFloor(const base::Clock& machine, std::filesystem::path file, base::Instant built)
    : machine_(machine), file_(std::move(file)), built_(built) {}

ClockFloor::Floor ClockFloor::floor() const {
    Floor highest{built_, "this program was built then"};
    if (own_not_before_ && *own_not_before_ > highest.when)
        highest = {*own_not_before_, "the device certificate was issued then"};
    // Read each time: root may have lowered it, and another service writes it.
    if (const auto written = read_clock_floor(file_); written && *written > highest.when)
        highest = {*written, "the hub agreed to that time"};
    return highest;
}

base::Instant ClockFloor::now() const {
    return std::max(machine_.now(), floor().when);
}

std::chrono::sys_time<std::chrono::milliseconds> ClockFloor::now_ms() const {
    return std::max<std::chrono::sys_time<std::chrono::milliseconds>>(machine_.now_ms(), floor().when);
}

base::Status ClockFloor::sound() const {
    const auto machine = machine_.now();
    const auto lowest = floor();
    if (machine + tolerance >= lowest.when) return {};
    return base::fail(
        base::Code::unavailable, "clock wrong since boot:",
        // The day alone: the same trouble is told in the same words.
        fmt::format("it is {} by it, and {} is past ({})", base::format_rfc3339(machine).substr(0, 10),
                    base::format_rfc3339(lowest.when), lowest.source),
        "set the clock, by NTP or by hand: everything goes on by itself then; where the later time is the "
        "wrong one, run sallyport edge config apply as root once the clock is right");
}

void ClockFloor::heard(base::Instant peer_time, const std::string& peer) {
    const auto machine = machine_.now();
    const auto apart = peer_time > machine ? peer_time - machine : machine - peer_time;
    if (apart > tolerance) {
        if (!std::exchange(told_apart_, true))
            base::log::warning(base::events::clock_wrong,
                               {{"reason", "the clocks of this machine and of its hub are " +
                                               base::format_duration(apart) + " apart"},
                                {"peer", peer},
                                {"peer_time", base::format_rfc3339(peer_time)},
                                {"time", base::format_rfc3339(machine)}});
        return;
    }
    told_apart_ = false;
    const auto written = read_clock_floor(file_);
    if (written && peer_time < *written + between_writes) return;
    if (auto done = write_down(file_, peer_time); !done)
        base::log::error(base::events::clock_floor_failed, done.error());
}

void ClockFloor::tell() {
    watch_.emplace([this] { tell_once(); });
    tell_once();
}

void ClockFloor::tell_once() {
    const auto good = sound();
    if (!good && !std::exchange(told_wrong_, true)) base::log::error(base::events::clock_wrong, good.error());
    if (good && std::exchange(told_wrong_, false))
        base::log::info(base::events::clock_right, {{"time", base::format_rfc3339(machine_.now())}});
}

}  // namespace edge
