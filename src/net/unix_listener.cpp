// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/acceptor.hpp"
#include "net/listener.hpp"
#include "net/service_manager.hpp"
#include "net/stream_impl.hpp"
#include "net/unix_address.hpp"

namespace net {

struct UnixListener::Impl {
    std::string path;
    Serve serve;
    std::shared_ptr<Socket> socket;
    dev_t device = 0;
    ino_t inode = 0;
};

namespace {

/// Removes a socket file that nobody listens on.
base::Status remove_stale(const std::string& path, const sockaddr_un& address) {
    const std::string thing = "socket " + path;
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0) {
        if (errno == ENOENT) return {};
        return base::fail_errno(errno, thing, "opened");
    }
    if (!S_ISSOCK(found.st_mode)) {
        return base::fail(base::Code::already_exists, thing, "is taken by something that is no socket",
                          "move " + path + " away");
    }
    const OwnedDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (probe.get() < 0) return base::fail_errno(errno, thing, "probed");
    const int connected = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (connected == 0 || errno == EAGAIN) {  // EAGAIN: somebody listens, with a full backlog
        return base::fail(base::Code::address_in_use, thing, "is served by another process",
                          "stop that process (ss -lxp src " + path + " names it)");
    }
    if (errno != ECONNREFUSED) return base::fail_errno(errno, thing, "probed");
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return base::fail_errno(errno, thing, "removed (it is stale)");
    return {};
}

void start_connection(const std::shared_ptr<UnixListener::Impl>& listener, Loop& loop, int descriptor) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    const bool known = ::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0;
    auto socket = Socket::adopt(loop, descriptor);
    if (!socket) {
        base::log::write(base::log::Level::info, base::events::connection_refused, socket.error(),
                         {{"listener", listener->path}});
        return;
    }
    auto stream = std::make_shared<Stream::Impl>(std::move(*socket));
    Peer& peer = stream->peer;
    peer.address = "unix";
    peer.local_path = listener->path;
    if (known) {
        peer.process = credentials.pid;
        peer.user = credentials.uid;
        peer.group = credentials.gid;
    }
    start_task(loop, "connection", listener->serve(Stream(std::move(stream))), nullptr);
}

/// A socket of our own making, listening, with its place in the file system.
base::Result<OwnedDescriptor> make_listening(const std::string& path, mode_t mode, struct stat& made) {
    const std::string thing = "socket " + path;
    SP_TRY(return, const sockaddr_un address, unix_address(path));
    if (auto stale = remove_stale(path, address); !stale) return std::unexpected(stale.error());
    OwnedDescriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (descriptor.get() < 0) return base::fail_errno(errno, thing, "opened");
    // The file is born with the socket's own mode narrowed by the umask; nobody can connect before listen.
    if (::fchmod(descriptor.get(), mode) != 0) return base::fail_errno(errno, thing, "given its mode");
    if (::bind(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return base::fail_errno(errno, thing, "made", errno == ENOENT ? "make its directory first" : "");
    }
    if (::chmod(path.c_str(), mode) != 0 || ::lstat(path.c_str(), &made) != 0) {
        return base::fail_errno(errno, thing, "given its mode");
    }
    if (::listen(descriptor.get(), SOMAXCONN) != 0) return base::fail_errno(errno, thing, "opened");
    return descriptor;
}

}  // namespace

base::Result<std::unique_ptr<UnixListener>> UnixListener::open(Loop& loop, std::string path, mode_t mode,
                                                               Serve serve) {
    auto impl = std::make_shared<Impl>();
    int listening = -1;
    if (const auto passed = passed_listener(path)) {
        // Its file is the service manager's: mode, owner and end are not ours.
        listening = *passed;
    } else {
        struct stat made{};
        SP_TRY(return, auto own, make_listening(path, mode, made));
        impl->device = made.st_dev;
        impl->inode = made.st_ino;
        listening = own.release();
    }
    impl->path = std::move(path);
    impl->serve = std::move(serve);
    SP_TRY(return, impl->socket, Socket::adopt(loop, listening));
    base::log::info(base::events::listener_opened, {{"address", impl->path}});
    loop.post([impl, &loop] {
        auto accepted = [impl, &loop](int connected) { start_connection(impl, loop, connected); };
        start_task(loop, "accept " + impl->path, accept_all(impl->socket, impl->path, accepted, nullptr),
                   nullptr);
    });
    return std::make_unique<UnixListener>(std::move(impl));
}

UnixListener::UnixListener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
UnixListener::~UnixListener() {
    close();
}

void UnixListener::close() {
    struct stat there{};
    // Only our own file: another process may have made its own at this path since.
    if (::lstat(impl_->path.c_str(), &there) == 0 && there.st_dev == impl_->device &&
        there.st_ino == impl_->inode) {
        ::unlink(impl_->path.c_str());
    }
    impl_->inode = 0;
    impl_->socket->loop().post([impl = impl_] { impl->socket->close(); });
}

}  // namespace net
