// SPDX-License-Identifier: Apache-2.0
//
// What an idle TLS connection costs the server: `bench_idle_connections [connections]`. The clients live in a
// child process, so that the growth of this one's resident memory, divided by their number, is the server's
// side alone. Against: asio::ssl::stream holds about 34 KB of buffers for each connection before OpenSSL's
// own.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "net/connect.hpp"
#include "net/listener.hpp"
#include "net/timer.hpp"
#include "pki/profile.hpp"

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds generous = 60s;

std::size_t resident_bytes() {
    std::ifstream status("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    status >> total >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::atomic<std::size_t> open_connections = 0;

net::Task<> stay_idle(net::Stream stream) {
    ++open_connections;
    co_await stream.readable_when_idle(1h);
    --open_connections;
}

net::Task<> connect_one(std::vector<net::Stream>& streams, net::TlsTarget target,
                        std::shared_ptr<const net::ClientTls> tls) {
    auto connected = co_await net::connect_tls(target, tls, generous, base::system_clock());
    if (connected) streams.push_back(std::move(connected->stream));
}

/// Opens the connections, 100 at a time, and holds them until the pipe is closed.
net::Task<> hold_clients(std::size_t count, net::TlsTarget target, std::shared_ptr<const net::ClientTls> tls,
                         int until_closed) {
    std::vector<net::Stream> streams;
    while (streams.size() < count) {
        const std::size_t before = streams.size();
        net::TaskGroup group;
        for (std::size_t i = before; i < std::min(count, before + 100); ++i) {
            group.spawn("client", connect_one(streams, target, tls));
        }
        co_await group.drained();
        if (streams.size() == before) co_return;
    }
    char byte = 0;
    while (::read(until_closed, &byte, 1) > 0) {
    }
}

struct Identity {
    pki::Certificate certificate;
    pki::PrivateKey key;
};

Identity make_server() {
    auto key = pki::PrivateKey::generate(pki::KeyType::ec_p256).value();
    const auto now = base::system_clock().now();
    const pki::IssueInput root{
        .profile = pki::Profile::root, .key = key.public_key(), .common_name = "bench root"};
    const auto issuer = pki::issue(root, nullptr, key, now).value();
    const pki::IssueInput leaf{.profile = pki::Profile::server,
                               .key = key.public_key(),
                               .common_name = "localhost",
                               .names = {"DNS:localhost"}};
    auto certificate = pki::issue(leaf, &issuer, key, now).value();
    return {std::move(certificate), std::move(key)};
}

}  // namespace

int main(int count_arguments, char** arguments) {
    std::size_t count = 1000;
    if (count_arguments > 1) std::from_chars(arguments[1], arguments[1] + std::strlen(arguments[1]), count);
    rlimit files{count + 100, count + 100};
    if (::setrlimit(RLIMIT_NOFILE, &files) != 0) {
        std::fprintf(stderr, "cannot open %zu files at once: raise ulimit -n\n", count + 100);
        return 3;
    }
    int port_pipe[2];
    int end_pipe[2];
    if (::pipe(port_pipe) != 0 || ::pipe(end_pipe) != 0) return 3;
    const auto identity = make_server();
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(end_pipe[1]);
        std::uint16_t port = 0;
        if (::read(port_pipe[0], &port, sizeof port) != sizeof port) return 3;
        net::ClientTls::Options
            options;  // the leaf itself is the anchor: a path may end at any of the bundle
        options.trust = std::make_shared<const pki::TrustBundle>(std::vector{identity.certificate});
        const auto tls = net::ClientTls::make(std::move(options)).value();
        net::run_task(hold_clients(count, {"127.0.0.1", port, "localhost"}, tls, end_pipe[0]));
        return 0;
    }
    ::close(end_pipe[0]);
    net::Loops loops;
    const auto tls = net::ServerTls::make({identity.certificate}, identity.key).value();
    const auto listener = net::TlsListener::open(loops, "127.0.0.1", 0, tls, stay_idle).value();
    std::thread thread([&] { loops.run({}, 1s); });
    const std::size_t before = resident_bytes();
    const auto begin = std::chrono::steady_clock::now();
    const std::uint16_t port = listener->port();
    if (::write(port_pipe[1], &port, sizeof port) != sizeof port) return 3;
    const auto give_up = begin + 120s;
    while (open_connections < count && std::chrono::steady_clock::now() < give_up)
        std::this_thread::sleep_for(10ms);
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const std::size_t open = open_connections;
    const std::size_t grown = resident_bytes() - before;
    std::printf("connections %zu  handshakes/s %.0f  resident bytes a connection %zu\n", open,
                static_cast<double>(open) / seconds, open == 0 ? 0 : grown / open);
    ::close(end_pipe[1]);
    loops.stop();
    thread.join();
    int status = 0;
    ::waitpid(child, &status, 0);
    return open == count ? 0 : 1;
}
