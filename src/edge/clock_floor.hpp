// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "edge/paths.hpp"
#include "net/clock_watch.hpp"

namespace edge {

/// Where the identity service writes down the last time that a peer has supported.
std::filesystem::path clock_floor_file(const Paths& paths);
/// Mode of the identity service's directory: who knows the file's name may read it, since the other services
/// are other users and go by the same floor.
inline constexpr mode_t clock_floor_directory_mode = 0711;
/// The day on which this program was built.
base::Instant build_time();

/// The time as the services of the edge device take it: the machine's, but never before what is surely past.
/// That is the build, the notBefore of the device certificate that others have issued to us, and the last
/// time that was written down. Only a time that the hub agreed to over verified TLS is written down: a forged
/// one would keep the device out for as long as it lies ahead. A machine without a clock battery starts in
/// 1970; until its clock is right, `sound` says no, and nothing is done that cannot be undone.
class ClockFloor final : public base::Clock {
  public:
    /// machine: outlives it. file: may be absent, and may be unreadable for services other than identity.
    ClockFloor(const base::Clock& machine, std::filesystem::path file, base::Instant built = build_time());

    base::Instant now() const override;
    std::chrono::sys_time<std::chrono::milliseconds> now_ms() const override;

    /// Fails with `unavailable`, "clock wrong since boot", where the machine's clock is more than five
    /// minutes before the floor.
    base::Status sound() const;

    /// The notBefore of the device certificate; nullopt where there is none that somebody else issued: one
    /// that was issued here says what this clock said.
    void set_own_not_before(std::optional<base::Instant> not_before) { own_not_before_ = not_before; }
    /// A peer over verified TLS has told its time: writes it down, at most once an hour, where it agrees with
    /// the machine's within five minutes; logs a disagreement.
    void heard(base::Instant peer_time, const std::string& peer);

    /// Logs "clock wrong since boot" now where it is, and whenever the clock is set what has become of it.
    /// On the loop, until `end_telling`.
    void tell();
    void end_telling() { watch_.reset(); }

  private:
    struct Floor {
        base::Instant when;
        std::string source;
    };
    Floor floor() const;
    void tell_once();

    const base::Clock& machine_;
    std::filesystem::path file_;
    base::Instant built_;
    std::optional<base::Instant> own_not_before_;
    std::optional<net::ClockWatch> watch_;
    bool told_wrong_ = false;
    bool told_apart_ = false;
};

/// The last time that was written down; nullopt where there is none or it cannot be read.
std::optional<base::Instant> read_clock_floor(const std::filesystem::path& file);
/// Takes back a written time that lies after `now`: for root, who has looked at a clock (`edge config
/// apply`). A clock from before the build vouches for nothing. Answers the time that was taken back.
base::Result<std::optional<base::Instant>> lower_clock_floor(const Paths& paths, base::Instant now,
                                                             base::Instant built = build_time());

}  // namespace edge
