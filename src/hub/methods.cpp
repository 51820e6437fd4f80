// SPDX-License-Identifier: Apache-2.0
#include "hub/methods.hpp"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "pki/digest.hpp"

namespace hub {

namespace {

/// An attempt waits for nothing but its turn on another loop.
constexpr std::chrono::seconds attempt_limit{10};

std::uint64_t arbitrary() {
    std::uint64_t number = 0;
    // Short enough for every client, and it never overflows.
    constexpr std::size_t octets = 6;
    std::memcpy(&number, pki::random_bytes(octets).data(), octets);
    return number;
}

}  // namespace

MethodAttempt::~MethodAttempt() {
    caller_.post([weak = std::move(state_), sent = sent_] {
        const auto state = weak.lock();
        if (!state) return;
        state->sent = sent;
        state->waiters.wake(state->request);
    });
}

Methods::Methods() : last_(arbitrary()) {}

std::string Methods::add(Entry entry) {
    auto request = fmt::format("{:x}", ++last_);
    const std::lock_guard lock(mutex_);
    waiting_.emplace(request, std::move(entry));
    return request;
}

void Methods::remove(const std::string& request) {
    const std::lock_guard lock(mutex_);
    waiting_.erase(request);
}

bool Methods::answer(const trust::Identity& identity, const std::string& request, MethodAnswer answer) {
    Entry entry;
    {
        const std::lock_guard lock(mutex_);
        const auto found = waiting_.find(request);
        if (found == waiting_.end() || found->second.identity != identity) return false;
        entry = std::move(found->second);
        waiting_.erase(found);
    }
    entry.caller->post([weak = std::move(entry.state), answer = std::move(answer)]() mutable {
        const auto state = weak.lock();
        if (!state) return;
        state->answer = std::move(answer);
        state->waiters.wake(state->request);
    });
    return true;
}

namespace {

std::shared_ptr<MethodState> make_state(Waiters& waiters) {
    return std::make_shared<MethodState>(MethodState{{}, waiters, std::nullopt, std::nullopt});
}

}  // namespace

MethodCall::MethodCall(Methods& methods, trust::Identity identity, Waiters& waiters)
    : methods_(methods),
      state_(make_state(waiters)),
      place_(waiters, state_->request = methods.add({std::move(identity), &net::this_loop(), state_})) {}

MethodCall::~MethodCall() {
    methods_.remove(state_->request);
}

std::shared_ptr<MethodAttempt> MethodCall::attempt() {
    state_->sent.reset();
    return std::make_shared<MethodAttempt>(net::this_loop(), state_);
}

net::Task<bool> MethodCall::attempted() {
    const auto until = std::chrono::steady_clock::now() + attempt_limit;
    while (!state_->sent && std::chrono::steady_clock::now() < until) co_await place_.wait(attempt_limit);
    co_return state_->sent.value_or(false) || state_->answer.has_value();
}

net::Task<std::optional<MethodAnswer>> MethodCall::answered(std::chrono::steady_clock::time_point until,
                                                            const std::atomic<bool>& stopping) {
    while (!state_->answer && !stopping) {
        const auto left = net::left_until(until);
        if (left.count() <= 0) break;
        co_await place_.wait(left);
    }
    co_return std::move(state_->answer);
}

}  // namespace hub
