// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "gateway/scope_sync.hpp"
#include "net/loop.hpp"
#include "trust/identity.hpp"

namespace gateway {

/// What the table of live sessions needs of one. Both are called on the session's loop.
class LiveSession {
  public:
    virtual ~LiveSession() = default;
    virtual void end(base::Error why) = 0;
    /// The cache has changed: decide again on what was presented, and end where it does not prove the
    /// identity now.
    virtual void judge_again() = 0;
};

/// All downstream sessions, by identity: one each, the newest wins (hub.md 2.8). From any thread.
class Sessions {
  public:
    /// The session that had the identity until now, if any, is ended on its own loop.
    void enter(const trust::Identity& identity, net::Loop& loop, std::shared_ptr<LiveSession> session);
    /// By session, not by identity: a successor stays.
    void leave(const trust::Identity& identity, const LiveSession* session);
    void judge_again(const ScopeChange& change);
    /// Ends every session and every one that enters from now on.
    void end_all();
    std::size_t size() const;

  private:
    struct Entry {
        net::Loop* loop;
        std::shared_ptr<LiveSession> session;
    };
    mutable std::mutex mutex_;
    bool closed_ = false;
    std::unordered_map<trust::Identity, Entry> live_;
    /// Device id -> its own identity and those of its modules that are live.
    std::unordered_map<std::string, std::vector<trust::Identity>> by_device_;
};

}  // namespace gateway
