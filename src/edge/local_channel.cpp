// SPDX-License-Identifier: Apache-2.0
#include "edge/local_channel.hpp"

#include <utility>

#include "net/timer.hpp"

namespace edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// The other side ends a connection that was idle for a minute (http::Limits).
constexpr std::chrono::seconds longest_idle{30};

/// Gives the place back also where the task is ended in the middle.
template <class Function>
class AtEnd {
  public:
    explicit AtEnd(Function function) : function_(std::move(function)) {}
    AtEnd(const AtEnd&) = delete;
    AtEnd& operator=(const AtEnd&) = delete;
    ~AtEnd() { function_(); }

  private:
    Function function_;
};

}  // namespace

net::Task<> LocalChannel::take_place() {
    if (busy_ < most_) {
        ++busy_;
        co_return;
    }
    // Whoever leaves hands its place over, so that nobody comes in between.
    const net::Completion turn;
    waiting_.push_back(turn);
    co_await turn.wait();
}

void LocalChannel::give_place_back() {
    if (waiting_.empty()) {
        --busy_;
        return;
    }
    const auto next = std::move(waiting_.front());
    waiting_.pop_front();
    next.complete();
}

std::optional<http::Connection> LocalChannel::take_idle() {
    auto found = std::exchange(idle_, std::nullopt);
    if (!found || steady_clock::now() - found->since > longest_idle) return std::nullopt;
    return std::move(found->connection);
}

// One is enough for calls that follow each other; more would take places of the user's from others.
void LocalChannel::keep(http::Connection connection) {
    if (!connection.is_reusable()) return;
    idle_.reset();
    idle_.emplace(Idle{std::move(connection), steady_clock::now()});
}

net::Task<base::Result<http::Connection>> LocalChannel::open(milliseconds limit, const base::Clock& clock) {
    http::Endpoint endpoint = http::UnixEndpoint{socket_};
    return http::Connection::open(std::move(endpoint), limit, clock);
}

net::Task<base::Result<http::Response>> LocalChannel::ask(http::Request request, milliseconds limit,
                                                          const base::Clock& clock) {
    const auto end = steady_clock::now() + limit;
    co_await take_place();
    const AtEnd leave([this] { give_place_back(); });
    if (auto kept = take_idle()) {
        auto again = request;
        auto answered = co_await kept->ask(std::move(again), net::left_until(end));
        const bool stale = !answered && kept->was_silent();
        keep(*std::move(kept));
        // The other side was started anew, or ended the idle connection just now: it has not seen the
        // request.
        if (!stale) co_return answered;
    }
    auto opened = co_await open(net::left_until(end), clock);
    if (!opened) co_return std::unexpected(std::move(opened).error());
    auto answered = co_await opened->ask(std::move(request), net::left_until(end));
    keep(*std::move(opened));
    co_return answered;
}

}  // namespace edge
