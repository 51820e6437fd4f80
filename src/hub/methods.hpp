// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/encoding.hpp"
#include "hub/waiters.hpp"
#include "net/loop.hpp"
#include "trust/identity.hpp"

namespace hub {

/// What a device has answered to a method.
struct MethodAnswer {
    std::int64_t status = 0;
    base::Bytes payload;
};

/// What is known of one call. On the caller's loop.
struct MethodState {
    std::string request;  ///< $rid, and what the caller waits for among `waiters`
    Waiters& waiters;
    std::optional<bool> sent;  ///< nullopt: an attempt is on its way
    std::optional<MethodAnswer> answer;
};

/// One attempt to hand a request to its device. Whatever happens to it on the way, the call is told when the
/// last owner lets go. From any thread.
class MethodAttempt {
  public:
    MethodAttempt(net::Loop& caller, std::weak_ptr<MethodState> state)
        : caller_(caller), state_(std::move(state)) {}
    ~MethodAttempt();
    MethodAttempt(const MethodAttempt&) = delete;
    MethodAttempt& operator=(const MethodAttempt&) = delete;
    void succeeded() { sent_ = true; }

  private:
    net::Loop& caller_;
    std::weak_ptr<MethodState> state_;
    bool sent_ = false;
};

/// The direct methods that wait for their device, whichever loop called, and whichever connection the answer
/// comes over. From any thread.
class Methods {
  public:
    /// The first request gets an arbitrary number, so that a late answer to one of an earlier life of the hub
    /// finds nobody.
    Methods();
    /// Hands the answer to who waits for it. False where nobody does: unknown, expired, or another
    /// identity's.
    bool answer(const trust::Identity& identity, const std::string& request, MethodAnswer answer);

  private:
    friend class MethodCall;
    struct Entry {
        trust::Identity identity;
        net::Loop* caller;
        std::weak_ptr<MethodState> state;
    };
    std::string add(Entry entry);
    void remove(const std::string& request);

    std::atomic<std::uint64_t> last_;
    std::mutex mutex_;
    std::unordered_map<std::string, Entry> waiting_;
};

/// One call, for as long as its caller waits. On the caller's loop.
class MethodCall {
  public:
    /// waiters: those of the caller's loop.
    MethodCall(Methods& methods, trust::Identity identity, Waiters& waiters);
    ~MethodCall();
    MethodCall(const MethodCall&) = delete;
    MethodCall& operator=(const MethodCall&) = delete;

    const std::string& request() const { return state_->request; }
    /// Begins an attempt; one at a time.
    std::shared_ptr<MethodAttempt> attempt();
    /// Waits for what became of it; true where the request went out.
    net::Task<bool> attempted();
    /// Waits for the answer; nullopt where there is none by then, or the hub ends.
    net::Task<std::optional<MethodAnswer>> answered(std::chrono::steady_clock::time_point until,
                                                    const std::atomic<bool>& stopping);

  private:
    Methods& methods_;
    std::shared_ptr<MethodState> state_;
    Waiters::Place place_;
};

}  // namespace hub
