// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/registry.hpp"
#include "trust/authenticate.hpp"

namespace hub {

/// hub.md 9.4: nesting of edge devices.
inline constexpr std::size_t deepest_chain = 6;  ///< a client and five edge devices

/// "TempSensor;EdgeGateway" as identities, target first. Fails with `malformed` for an empty or bad id or a
/// chain that is too long.
base::Result<std::vector<trust::Identity>> parse_auth_chain(std::string_view text);

/// The records of a chain, as the registry has them now.
struct ChainRecords {
    std::string claimed;
    std::vector<std::optional<trust::Record>> devices;  ///< one for each member; nullopt: not registered
    std::optional<trust::Record> actor;                 ///< `<last>/$edgeHub`

    /// As `authenticate` wants it; borrows from this.
    trust::OnBehalf view() const;
};
base::Result<ChainRecords> read_auth_chain(std::string_view text, const std::vector<trust::Identity>& members,
                                           registry::Reader& reader);

/// The rules of hub.md 9.4 for a scope call: every member registered and enabled, every pair a real child and
/// its parent, the last the actor. Errors are `unauthenticated` with the link that is wrong.
base::Status check_scope_chain(const ChainRecords& chain, std::string_view actor);

/// Whether `child` has `parent` as its direct parent.
bool is_child_of(const trust::Record& child, const trust::Record& parent);

/// Whether `target` lies under the edge device `above` (hub.md 9.4): at any depth that a chain may have, and
/// every edge device between them enabled.
base::Result<bool> lies_under(const trust::Record& target, const trust::Record& above,
                              registry::Reader& reader);

}  // namespace hub
