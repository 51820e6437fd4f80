// SPDX-License-Identifier: Apache-2.0
#include "net/service_manager.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "net/acceptor.hpp"

namespace net {
namespace {

constexpr int first_passed = 3;
// As many as any unit of ours could pass, so that a wrong number costs nothing.
constexpr long most_passed = 64;

std::optional<long> number_in(const char* variable) {
    const char* text = std::getenv(variable);
    if (!text) return std::nullopt;
    const std::string_view digits(text);
    long value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return std::nullopt;
    return value;
}

int option_of(int descriptor, int option) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool listens_at(int descriptor, const std::string& path) {
    sockaddr_un bound{};
    socklen_t size = sizeof bound;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return false;
    if (bound.sun_family != AF_UNIX || size <= offsetof(sockaddr_un, sun_path)) return false;
    const auto room = size - offsetof(sockaddr_un, sun_path);
    if (std::string_view(bound.sun_path, ::strnlen(bound.sun_path, room)) != path) return false;
    return option_of(descriptor, SO_TYPE) == SOCK_STREAM && option_of(descriptor, SO_ACCEPTCONN) == 1;
}

}  // namespace

std::optional<int> passed_listener(const std::string& path) {
    // Those of another process, which started this one, are not for us.
    if (number_in("LISTEN_PID") != static_cast<long>(::getpid())) return std::nullopt;
    const auto count = number_in("LISTEN_FDS");
    if (!count || *count <= 0 || *count > most_passed) return std::nullopt;
    for (int passed = first_passed; passed < first_passed + static_cast<int>(*count); ++passed) {
        if (!listens_at(passed, path)) continue;
        ::fcntl(passed, F_SETFD, FD_CLOEXEC);
        const int own = ::fcntl(passed, F_DUPFD_CLOEXEC, first_passed);
        if (own < 0) return std::nullopt;
        ::fcntl(own, F_SETFL, ::fcntl(own, F_GETFL) | O_NONBLOCK);
        return own;
    }
    return std::nullopt;
}

base::Status notify_ready() {
    const char* socket = std::getenv("NOTIFY_SOCKET");
    if (!socket || *socket == '\0') return {};
    const std::string name(socket);
    const std::string thing = "service manager at " + name;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name.size() >= sizeof address.sun_path)
        return base::fail(base::Code::invalid_argument, thing, "has a path that is too long");
    name.copy(address.sun_path, name.size());
    // An abstract name is written with '@' for its leading zero.
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    const OwnedDescriptor sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (sender.get() < 0) return base::fail_errno(errno, thing, "told");
    constexpr std::string_view said = "READY=1";
    if (::sendto(sender.get(), said.data(), said.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address), size) < 0)
        return base::fail_errno(errno, thing, "told that this service is ready");
    return {};
}

}  // namespace net
