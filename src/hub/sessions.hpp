// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "net/loop.hpp"
#include "trust/identity.hpp"

namespace hub {

/// A session as the index knows it. Every method is called on the session's own loop.
class Member {
  public:
    virtual ~Member() = default;
    /// Something about its identity, its device or its auth chain has changed: decide again.
    virtual void judge_again() = 0;
    /// Another connection has taken its place (hub.md 2.8).
    virtual void displaced(std::string by_address) = 0;
    /// The desired properties of its twin have got this version; body: the notification of hub.md 3.3.
    virtual void desired_changed(std::int64_t version, const std::string& body) = 0;
    /// The device's queue may have something for it (DeviceQueue).
    virtual void messages_waiting() {}
    /// The hub ends.
    virtual void shut_down() = 0;
};

/// All live sessions by device, in shards. A session enters under its device and every device of its auth
/// chain *before* its record is read: a change that is committed afterwards finds it, one committed before is
/// in the record. From any thread.
class Sessions {
  public:
    struct Entry;

    /// A session's place; it leaves when this is destroyed.
    class Place {
      public:
        Place(Place&& other) noexcept = default;
        Place& operator=(Place&&) = delete;
        ~Place();

      private:
        friend class Sessions;
        Place(Sessions& sessions, std::shared_ptr<Entry> entry)
            : sessions_(&sessions), entry_(std::move(entry)) {}
        Sessions* sessions_;
        std::shared_ptr<Entry> entry_;
    };

    /// devices: that of the identity and all of its auth chain. loop: where the member lives.
    Place enter(std::weak_ptr<Member> member, net::Loop& loop, trust::Identity identity,
                std::vector<std::string> devices);
    /// The session has been accepted: it is the identity's one connection from now on, and the one before is
    /// told.
    void hold(const Place& place, const std::string& address, base::Instant now);

    /// Called when an identity comes that had no connection, and when it goes, in order for each identity,
    /// under a lock: it must not come back here. At most one; set it before the first session.
    void on_presence(std::function<void(const trust::Identity&, bool connected)> observer);

    /// Since when the identity is connected; nullopt where it is not.
    std::optional<base::Instant> connected_since(const trust::Identity& identity) const;
    std::size_t size() const;
    /// Devices that are connected, their modules not counted.
    std::size_t connected_devices() const { return connected_devices_; }
    /// Runs `work` with the identity's one connection, on its loop. False where it is not connected; it may
    /// also have ended by the time that `work` would run.
    bool tell(const trust::Identity& identity, std::function<void(Member&)> work) const;

    void judge(const std::string& device);
    void judge_all();
    void shut_down();

  private:
    struct Holder {
        std::shared_ptr<Entry> entry;
        base::Instant since;
    };
    struct Shard {
        mutable std::mutex mutex;
        std::unordered_multimap<std::string, std::shared_ptr<Entry>> by_device;
        std::unordered_map<trust::Identity, Holder> holders;
    };
    Shard& shard_of(const std::string& device);
    const Shard& shard_of(const std::string& device) const;
    void leave(const std::shared_ptr<Entry>& entry);
    template <class Tell>
    void tell_all(Tell tell);

    std::array<Shard, 64> shards_;
    std::atomic<std::size_t> connected_devices_ = 0;
    std::function<void(const trust::Identity&, bool)> presence_;
};

}  // namespace hub
