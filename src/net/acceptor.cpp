// SPDX-License-Identifier: Apache-2.0
#include "net/acceptor.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/events.hpp"
#include "base/log.hpp"
#include "net/timer.hpp"

namespace net {

namespace {

constexpr int most_in_a_row = 64;  // then the loop's other work gets its turn
constexpr std::chrono::milliseconds pause_when_exhausted(200);

enum class Outcome { accepted, none_waiting, try_again, exhausted };

Outcome accept_one(int listening, const Accepted& accepted) {
    const int descriptor = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
        accepted(descriptor);
        return Outcome::accepted;
    }
    switch (errno) {
        case EAGAIN:
            return Outcome::none_waiting;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            return Outcome::exhausted;
        default:
            return Outcome::try_again;  // ECONNABORTED and the network errors of accept(2): that peer's alone
    }
}

}  // namespace

OwnedDescriptor::~OwnedDescriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Task<> accept_all(std::shared_ptr<Socket> listening, std::string name, Accepted accepted,
                  std::shared_ptr<Handshakes> handshakes) {
    bool told = false;
    while (listening->is_open()) {
        while (handshakes && handshakes->full() && listening->is_open()) {
            co_await handshakes->again().wait(no_deadline);
        }
        const auto ready = co_await Socket::wait_parked(listening, no_deadline);
        if (!ready) break;
        for (int i = 0; i < most_in_a_row && listening->is_open(); ++i) {
            if (handshakes && handshakes->full()) break;
            const Outcome outcome = accept_one(listening->descriptor(), accepted);
            if (outcome == Outcome::none_waiting) break;
            if (outcome == Outcome::accepted) told = false;
            if (outcome == Outcome::exhausted) {
                if (!told) {
                    const base::Error why{
                        base::Code::unavailable, "listener " + name,
                        "cannot accept connections: " + std::generic_category().message(errno),
                        "raise the limit of open files (LimitNOFILE=, ulimit -n)"};
                    base::log::error(base::events::listener_failed, why);
                    told = true;
                }
                co_await sleep_for(pause_when_exhausted);
                break;
            }
        }
    }
    listening->close();
}

}  // namespace net
