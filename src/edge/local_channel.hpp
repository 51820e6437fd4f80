// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "http/client.hpp"
#include "net/completion.hpp"

namespace edge {

/// How many connections a service holds to another one. Under --root all are one user's, who may have 10 at
/// the keys service: three services of ours, their signatures, and room for one tool. Calls to the identity
/// service may wait for the hub, so that these places must be more than the others.
inline constexpr std::size_t connections_to_keys = 2;
inline constexpr std::size_t connections_to_certificates = 3;
inline constexpr std::size_t connections_to_identity = 6;

/// The connections of one service to another: one stays open between calls, since opening one costs more than
/// most calls do, and there are never more than `most` at a time, so that many callers of ours do not come
/// over the number that the other one allows a user (edge-runtime.md 0.4). Who comes later waits in order. On
/// its own loop, which must outlive it.
class LocalChannel {
  public:
    LocalChannel(std::string socket, std::size_t most) : socket_(std::move(socket)), most_(most) {}
    LocalChannel(const LocalChannel&) = delete;
    LocalChannel& operator=(const LocalChannel&) = delete;

    /// As http::request; the time in the queue counts.
    net::Task<base::Result<http::Response>> ask(http::Request request, std::chrono::milliseconds limit,
                                                const base::Clock& clock);

  private:
    struct Idle {
        http::Connection connection;
        std::chrono::steady_clock::time_point since;
    };
    net::Task<> take_place();
    void give_place_back();
    net::Task<base::Result<http::Connection>> open(std::chrono::milliseconds limit, const base::Clock& clock);
    std::optional<http::Connection> take_idle();
    void keep(http::Connection connection);

    std::string socket_;
    std::size_t most_;
    std::size_t busy_ = 0;
    std::optional<Idle> idle_;
    std::deque<net::Completion> waiting_;
};

}  // namespace edge
