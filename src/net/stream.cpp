// SPDX-License-Identifier: Apache-2.0
#include "net/stream.hpp"

#include <sys/socket.h>

#include <cerrno>

#include <boost/asio/this_coro.hpp>

#include "net/stream_impl.hpp"

namespace net {

namespace {

namespace asio = boost::asio;
using ImplPtr = std::shared_ptr<Stream::Impl>;

constexpr std::size_t dropped_bytes_limit = 256 * 1024;

std::unexpected<base::Error> with_peer(base::Error error, const Peer& peer) {
    if (error.thing == "connection" && !peer.address.empty()) error.thing += " of " + peer.address;
    return std::unexpected(std::move(error));
}

Task<base::Result<std::size_t>> read(ImplPtr impl, std::span<std::byte> into, SteadyTime deadline) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return closed_here();
    for (;;) {
        if (!impl->socket->is_open()) co_return closed_here();
        Attempt attempt = impl->try_read(into, false);
        if (attempt.kind == Attempt::Kind::done) co_return attempt.count;
        if (attempt.kind == Attempt::Kind::failed) co_return with_peer(std::move(attempt.error), impl->peer);
        const Ready ready = attempt.kind == Attempt::Kind::want_read ? Ready::read : Ready::write;
        auto status = co_await Socket::wait(impl->socket, Side::reader, ready, deadline);
        if (!status) co_return with_peer(std::move(status).error(), impl->peer);
    }
}

enum class Parking { no, yes };

Task<base::Status> await_readable(ImplPtr impl, SteadyTime deadline, Parking parking) {
    std::byte first{};
    for (;;) {
        if (!impl->socket->is_open()) co_return closed_here();
        Attempt attempt = impl->try_read(std::span(&first, 1), true);
        if (attempt.kind == Attempt::Kind::done) co_return base::Status{};
        if (attempt.kind == Attempt::Kind::failed) co_return with_peer(std::move(attempt.error), impl->peer);
        base::Status status;
        if (attempt.kind == Attempt::Kind::want_write) {
            status = co_await Socket::wait(impl->socket, Side::reader, Ready::write, deadline);
        } else if (parking == Parking::yes) {
            status = co_await Socket::wait_parked(impl->socket, deadline);
        } else {
            status = co_await Socket::wait(impl->socket, Side::reader, Ready::read, deadline);
        }
        if (!status) co_return with_peer(std::move(status).error(), impl->peer);
    }
}

Task<base::Status> write(ImplPtr impl, std::span<const std::byte> bytes, SteadyTime deadline) {
    while (!bytes.empty()) {
        if (!impl->socket->is_open()) co_return closed_here();
        Attempt attempt = impl->try_write(bytes);
        if (attempt.kind == Attempt::Kind::done) {
            bytes = bytes.subspan(attempt.count);
            continue;
        }
        if (attempt.kind == Attempt::Kind::failed) co_return with_peer(std::move(attempt.error), impl->peer);
        const Ready ready = attempt.kind == Attempt::Kind::want_read ? Ready::read : Ready::write;
        auto status = co_await Socket::wait(impl->socket, Side::writer, ready, deadline);
        if (!status) co_return with_peer(std::move(status).error(), impl->peer);
    }
    co_return base::Status{};
}

Task<> end_slowly(ImplPtr impl, SteadyTime deadline) {
    if (impl->socket->is_open()) {
        impl->send_close_notify();
        ::shutdown(impl->socket->descriptor(), SHUT_WR);
    }
    std::array<std::byte, 4096> dropped;
    std::size_t total = 0;
    while (total < dropped_bytes_limit && impl->socket->is_open()) {
        const auto got = ::recv(impl->socket->descriptor(), dropped.data(), dropped.size(), MSG_DONTWAIT);
        if (got > 0) {
            total += static_cast<std::size_t>(got);
            continue;
        }
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) break;
        const auto status = co_await Socket::wait(impl->socket, Side::reader, Ready::read, deadline);
        if (!status) break;
    }
    impl->close();
}

}  // namespace

Stream::Stream(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stream::Stream(Stream&&) noexcept = default;

Stream& Stream::operator=(Stream&& other) noexcept {
    if (this == &other) return *this;
    close();
    impl_ = std::move(other.impl_);
    return *this;
}

Stream::~Stream() {
    close();
}

const Peer& Stream::peer() const {
    return impl_->peer;
}

Task<base::Status> Stream::readable(std::chrono::milliseconds limit) {
    return await_readable(impl_, deadline_after(limit), Parking::no);
}

Task<base::Status> Stream::readable_when_idle(std::chrono::milliseconds limit) {
    return await_readable(impl_, deadline_after(limit), Parking::yes);
}

Task<base::Result<std::size_t>> Stream::read_some(std::span<std::byte> into,
                                                  std::chrono::milliseconds limit) {
    return read(impl_, into, deadline_after(limit));
}

Task<base::Status> Stream::write_all(std::span<const std::byte> bytes, std::chrono::milliseconds limit) {
    return write(impl_, bytes, deadline_after(limit));
}

Task<> Stream::close_after_answer(std::chrono::milliseconds limit) {
    return end_slowly(impl_, deadline_after(limit));
}

void Stream::close() {
    if (impl_) impl_->close();
}

bool Stream::is_open() const {
    return impl_ && impl_->socket->is_open();
}

}  // namespace net
