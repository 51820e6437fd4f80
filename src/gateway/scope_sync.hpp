// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "gateway/hub_client.hpp"
#include "gateway/scope_store.hpp"
#include "net/loop.hpp"

namespace gateway {

/// The newest scope cache, for all loops. From any thread.
class SharedScope {
  public:
    explicit SharedScope(std::shared_ptr<const ScopeCache> first) : cache_(std::move(first)) {}
    std::shared_ptr<const ScopeCache> get() const {
        const std::lock_guard lock(mutex_);
        return cache_;
    }
    void set(std::shared_ptr<const ScopeCache> next) {
        const std::lock_guard lock(mutex_);
        cache_ = std::move(next);
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const ScopeCache> cache_;
};

/// Whose sessions a change of the cache may concern.
struct ScopeChange {
    bool everybody = false;
    std::vector<std::string> devices;
};

/// What asking the hub about one identity gave.
enum class Lookup {
    in_scope,      ///< the cache holds the record as the hub has it now
    not_in_scope,  ///< the hub said so, now or since the last refresh
    unreachable,   ///< the hub could not be asked, or gave no answer about it
    rate_limited   ///< too many unknown identities are being asked for
};

/// Keeps the scope cache equal to the hub's: a whole fetch at start, then one held request for changes, and
/// single look-ups. On its own loop, apart from `scope`.
class ScopeSync {
  public:
    ScopeSync(SharedScope& scope, HubClient& hub, HubLink& link, ScopeStore& store, ScopeOwner owner,
              net::TaskGroup& tasks, const base::Clock& clock);

    /// Runs until it is cancelled.
    net::Task<> run();
    /// Returns once the first attempt to reach the hub has succeeded or failed, at most after `limit`.
    net::Task<> first_attempt(std::chrono::milliseconds limit);
    /// Asks the hub about one identity: one request at a time for each, a bounded number for all. `done` is
    /// called on this loop, within five seconds. fresh: a remembered "no" does not count.
    void lookup(const trust::Identity& identity, bool fresh, std::function<void(Lookup)> done);
    /// What is known may be another gateway's by now: everything is asked for anew at the next turn.
    void fetch_everything() { whole_ = true; }
    /// From here on nobody is asked: every look-up answers `unreachable`. Before the task group ends.
    void stop() { stopped_ = true; }
    /// Called on this loop after the cache has changed.
    void on_change(std::function<void(const ScopeChange&)> observer) { observer_ = std::move(observer); }

  private:
    net::Task<base::Status> refresh_all();
    net::Task<base::Status> follow();
    net::Task<base::Status> take_over(std::vector<trust::Identity> identities);
    net::Task<> look(trust::Identity identity);
    void publish(std::shared_ptr<const ScopeCache> next, const ScopeChange& change);
    void put(const std::vector<trust::Record>& records);
    void drop(const trust::Identity& identity);
    bool take_permit();

    SharedScope& scope_;
    HubClient& hub_;
    HubLink& link_;
    ScopeStore& store_;
    ScopeOwner owner_;
    net::TaskGroup& tasks_;
    const base::Clock& clock_;
    std::function<void(const ScopeChange&)> observer_;
    bool attempted_ = false;
    bool stopped_ = false;
    bool whole_ = true;  ///< everything has to be fetched
    Broadcast attempt_;
    std::unordered_map<trust::Identity, std::vector<std::function<void(Lookup)>>> looking_;
    std::unordered_set<trust::Identity> unknown_;  ///< "not in scope", remembered until the next refresh
    double permits_;
    std::chrono::steady_clock::time_point permits_at_;
};

}  // namespace gateway
