// SPDX-License-Identifier: Apache-2.0
#include "net/socket.hpp"

#include <unistd.h>

namespace net {

namespace {

std::size_t at(Side side) {
    return side == Side::reader ? 0 : 1;
}
std::size_t at(Ready ready) {
    return ready == Ready::read ? 0 : 1;
}

}  // namespace

base::Result<std::shared_ptr<Socket>> Socket::adopt(Loop& loop, int descriptor) {
    auto socket = std::make_shared<Socket>(loop);
    boost::system::error_code error;
    socket->descriptor_.assign(descriptor, error);
    if (error) {
        ::close(descriptor);
        return base::fail_errno(error.value(), "socket", "watched for readiness");
    }
    return socket;
}

Socket::Socket(Loop& loop)
    : loop_(loop),
      descriptor_(loop.impl().context),
      waiting_{Waiting{Waiter(loop.impl().context)}, Waiting{Waiter(loop.impl().context)}} {}

Socket::~Socket() {
    close();
}

void Socket::close() {
    if (!open_) return;
    open_ = false;
    loop_.impl().parked.erase(this);
    boost::system::error_code ignored;
    descriptor_.close(ignored);
    for (Waiting& waiting : waiting_) {
        if (waiting.waits) waiting.waiter.wake();
    }
}

void Socket::arm(Ready ready) {
    if (armed_[at(ready)]) return;
    armed_[at(ready)] = true;
    const auto type = ready == Ready::read ? descriptor_.wait_read : descriptor_.wait_write;
    descriptor_.async_wait(type, [self = shared_from_this(), ready](const boost::system::error_code&) {
        self->on_ready(ready);
    });
}

void Socket::on_ready(Ready ready) {
    armed_[at(ready)] = false;
    for (Waiting& waiting : waiting_) {
        if (waiting.waits && waiting.wants == ready) waiting.waiter.wake();
    }
}

Task<base::Status> Socket::wait(std::shared_ptr<Socket> socket, Side side, Ready ready, SteadyTime deadline) {
    if (!socket->open_) co_return closed_here();
    Waiting& waiting = socket->waiting_[at(side)];
    socket->arm(ready);
    waiting.wants = ready;
    waiting.waits = true;
    const Woken end = co_await waiting.waiter.wait(deadline);
    waiting.waits = false;
    waiting.waiter.reset();
    if (!socket->open_ || end == Woken::cancelled) co_return closed_here();
    if (end == Woken::timeout)
        co_return base::fail(base::Code::timeout, "connection", "was silent for too long");
    co_return base::Status{};
}

Task<base::Status> Socket::wait_parked(std::shared_ptr<Socket> socket, SteadyTime deadline) {
    auto& loop = socket->loop_.impl();
    if (loop.stopping) co_return closed_here();
    loop.parked.insert(socket.get());
    auto status = co_await wait(socket, Side::reader, Ready::read, deadline);
    loop.parked.erase(socket.get());
    if (status && loop.stopping) co_return closed_here();
    co_return status;
}

void Socket::unpark() {
    if (waiting_[0].waits) waiting_[0].waiter.wake();
}

}  // namespace net
