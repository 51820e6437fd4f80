// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "pki/certificate.hpp"

/// The way from one root to the next without a day on which a device trusts nobody (est-and-pki.md 5, RFC
/// 7030 4.1.3).
namespace ca {

/// Where it stands, as `rollover.json` keeps it; its writing is the moment at which a step counts.
struct Rollover {
    enum class Step { none, prepared, switched, retired };
    Step step = Step::none;
    std::string from, to;  ///< names of the roots
    base::Instant prepared{}, switched{}, retired{};
};

/// Step::none where there is none.
base::Result<Rollover> read_rollover(const std::filesystem::path& data);

/// The certificates of a rollover that is under way: the root that issues now, what stands between the
/// issuing CA and clients that know the old root alone, and what /cacerts has behind the intermediates.
struct RolloverCertificates {
    pki::Certificate root;
    std::optional<pki::Certificate> above;  ///< NewWithOld, which servers must send once issuing is under N
    pki::Chain published;                   ///< cross certificates first, roots last
};
base::Result<RolloverCertificates> load_rollover(const std::filesystem::path& data, const Rollover& rollover,
                                                 base::Instant now);

/// What the next step waits for.
struct RolloverStatus {
    Rollover rollover;
    std::string next;                         ///< "prepare", "switch", "retire", "nothing"
    std::uint64_t waiting = 0;                ///< certificates that would be hurt by it
    std::vector<std::string> devices;         ///< whose they are, the first few
    std::optional<base::Instant> latest_end;  ///< when the last of them ends by itself
};
base::Result<RolloverStatus> rollover_status(const std::filesystem::path& data, base::Instant now);

/// Takes the next step. new_root: its name when the rollover begins; empty: one made from the old. force:
/// also where certificates wait. Fails with precondition_failed where they do, with address_in_use where
/// `ca run` has the directory.
base::Status rollover_next(const std::filesystem::path& data, const std::string& new_root, bool force,
                           const base::Clock& clock);

/// "my_root" gives "my_root G2", "my_root G2" gives "my_root G3".
std::string next_root_name(const std::string& name);

}  // namespace ca
