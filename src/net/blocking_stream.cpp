// SPDX-License-Identifier: Apache-2.0
#include "net/blocking_stream.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "base/result.hpp"
#include "net/unix_address.hpp"

namespace net {
namespace {

// A wait that took as long as SO_RCVTIMEO and SO_SNDTIMEO allow ends with EAGAIN.
std::unexpected<base::Error> failed(int why, std::string_view doing) {
    if (why == EAGAIN || why == EWOULDBLOCK || why == EINPROGRESS)
        return base::fail(base::Code::timeout, "socket", "did not answer in time");
    if (why == EPIPE || why == ECONNRESET)
        return base::fail(base::Code::closed, "socket", "was closed by the other side");
    return base::fail_errno(why, "socket", doing);
}

}  // namespace

base::Result<BlockingStream> BlockingStream::connect(const std::string& path,
                                                     std::chrono::milliseconds limit) {
    SP_TRY(return, const auto address, unix_address(path));
    BlockingStream stream(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (stream.socket_ < 0) return base::fail_errno(errno, "socket " + path, "made");
    const timeval wait{limit.count() / 1000, (limit.count() % 1000) * 1000};
    for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
        if (::setsockopt(stream.socket_, SOL_SOCKET, option, &wait, sizeof wait) != 0)
            return base::fail_errno(errno, "socket " + path, "given its deadline");
    if (::connect(stream.socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        if (errno == EAGAIN) return failed(errno, "connected");
        return base::fail_errno(errno, "socket " + path, "connected");
    }
    return stream;
}

BlockingStream& BlockingStream::operator=(BlockingStream&& other) noexcept {
    std::swap(socket_, other.socket_);
    return *this;
}

BlockingStream::~BlockingStream() {
    if (socket_ >= 0) ::close(socket_);
}

base::Status BlockingStream::write_all(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto put = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (put < 0) {
            if (errno == EINTR) continue;
            return failed(errno, "written");
        }
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return {};
}

base::Result<std::size_t> BlockingStream::read_some(std::span<std::byte> into) {
    for (;;) {
        const auto got = ::recv(socket_, into.data(), into.size(), 0);
        if (got > 0) return static_cast<std::size_t>(got);
        if (got == 0) return failed(EPIPE, "read");
        if (errno != EINTR) return failed(errno, "read");
    }
}

}  // namespace net
