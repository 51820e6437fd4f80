// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include "edge/paths.hpp"

namespace edge {

/// How running services came to read what was written.
struct TakeOver {
    enum class By { nobody, edge_run, systemd } by = By::nobody;
    std::vector<Service> restarted;
};

/// Makes the running services read their present files. An `edge run` is signalled and restarts those of its
/// services whose file is not the one they were started with; this returns once all serve again. Otherwise,
/// in the packaged layout and where systemd runs, the units of `changed` are restarted if they run. Where
/// neither is at work the next start reads the files. Fails with unavailable where the `edge run` ended
/// meanwhile, with timeout where its services did not serve again in time, and with internal where systemctl
/// said no.
base::Result<TakeOver> take_over(const Paths& paths, const std::vector<Service>& changed,
                                 std::chrono::seconds limit = std::chrono::seconds(60));

/// Whether systemd is this machine's init (sd_booted(3)).
bool systemd_runs();
/// "sallyport-keys.service": the packaged unit.
std::string unit_of(Service service);

}  // namespace edge
