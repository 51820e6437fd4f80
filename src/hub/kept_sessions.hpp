// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "hub/subscriptions.hpp"
#include "store/writer.hpp"

namespace hub {

/// What of an MQTT session outlives its connection, and the hub's process: the subscriptions of a client that
/// connects without clean session (hub.md 2.9; its cloud-to-device messages are in DeviceQueue). A session
/// without a subscription is none. From any thread; a write is seen by `find` at once and on disk soon
/// after: one that a power cut takes away costs the client a SUBSCRIBE, which it is told by SessionPresent 0.
class KeptSessions {
  public:
    static base::Result<std::unique_ptr<KeptSessions>> open(const std::filesystem::path& file);
    ~KeptSessions();

    /// generation: of the identity; a session of an earlier life is not found.
    base::Result<std::optional<Subscriptions>> find(const trust::Identity& identity,
                                                    const std::string& generation) const;
    /// Replaces what is kept; nothing is kept of empty subscriptions.
    void keep(const trust::Identity& identity, const std::string& generation,
              const Subscriptions& subscriptions);
    void forget(const trust::Identity& identity);
    /// The device is deleted: its session, and those of its modules.
    void forget_device(const std::string& device);

  private:
    struct Kept {
        std::string generation;
        std::string filters;  ///< empty: none is kept
        std::uint64_t number;
    };
    KeptSessions() = default;
    void write(const trust::Identity& identity, Kept kept);
    base::Result<std::optional<Kept>> read(const trust::Identity& identity) const;

    mutable std::mutex mutex_;  ///< of what follows, the reader included
    std::unique_ptr<store::Database> reader_;
    std::unordered_map<trust::Identity, Kept> unwritten_;
    std::uint64_t last_number_ = 0;
    std::unique_ptr<store::Writer> writer_;  ///< last: its jobs use the others
};

}  // namespace hub
