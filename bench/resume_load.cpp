// SPDX-License-Identifier: Apache-2.0
//
// The load of bench/compare.py for resumed connects: one device after the other over blocking sockets,
// CONNECT to CONNACK, each time with the session that the last connection was given. The program's own net
// never resumes, so this speaks to OpenSSL itself.
#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
    std::string host, name, hub, certificate, key, trust;
    std::uint16_t port = 8883;
    double seconds = 10;
    bool full = false;
};

template <auto free>
struct FreeWith {
    template <class T>
    void operator()(T* object) const {
        free(object);
    }
};
using Context = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL_SESSION, FreeWith<SSL_SESSION_free>>;
using Ssl = std::unique_ptr<SSL, FreeWith<SSL_free>>;

Session latest;

int keep_session(SSL*, SSL_SESSION* session) {
    latest.reset(session);
    return 1;
}

void require(bool fine, const char* what) {
    if (!fine) throw std::runtime_error(what);
}

Context make_context(const Options& options) {
    Context context(SSL_CTX_new(TLS_client_method()));
    require(context != nullptr, "no TLS");
    require(SSL_CTX_load_verify_locations(context.get(), options.trust.c_str(), nullptr) == 1,
            "trust bundle");
    require(SSL_CTX_use_certificate_chain_file(context.get(), options.certificate.c_str()) == 1,
            "certificate");
    require(SSL_CTX_use_PrivateKey_file(context.get(), options.key.c_str(), SSL_FILETYPE_PEM) == 1, "key");
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context.get(), keep_session);
    return context;
}

std::string field(const std::string& text) {
    return std::string{static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xff)} + text;
}

std::string connect_packet(const Options& options, const std::string& device) {
    const auto body = field("MQTT") + std::string("\x04\x82\x04\x4c", 4) + field(device) +
                      field(options.hub + "/" + device + "/?api-version=2021-04-12");
    require(body.size() < 128, "the names are too long");
    return std::string{'\x10', static_cast<char>(body.size())} + body;
}

/// Whether the session was resumed.
bool connect_once(const Options& options, SSL_CTX* context, const std::string& packet) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    require(::inet_pton(AF_INET, options.host.c_str(), &address.sin_addr) == 1, "host");
    require(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "connect");
    const Ssl ssl(SSL_new(context));
    SSL_set_fd(ssl.get(), socket);
    SSL_set_tlsext_host_name(ssl.get(), options.name.c_str());
    if (latest && !options.full) SSL_set_session(ssl.get(), latest.get());
    require(SSL_connect(ssl.get()) == 1, "handshake");
    require(SSL_write(ssl.get(), packet.data(), static_cast<int>(packet.size())) > 0, "write");
    std::array<unsigned char, 4> connack{};
    require(SSL_read(ssl.get(), connack.data(), 4) == 4 && connack[3] == 0, "CONNACK");
    const bool resumed = SSL_session_reused(ssl.get()) == 1;
    SSL_write(ssl.get(), "\xe0\x00", 2);
    SSL_shutdown(ssl.get());
    ::close(socket);
    return resumed;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Resumed connects to an MQTT server."};
    Options options;
    app.add_option("--host", options.host)->required();
    app.add_option("--port", options.port);
    app.add_option("--name", options.name)->required();
    app.add_option("--hub", options.hub)->required();
    app.add_option("--cert", options.certificate)->required();
    app.add_option("--key", options.key)->required();
    app.add_option("--trust", options.trust)->required();
    app.add_option("--seconds", options.seconds);
    app.add_flag("--full", options.full, "never resume");
    CLI11_PARSE(app, argc, argv);
    try {
        const auto context = make_context(options);
        const auto end = Clock::now() + std::chrono::duration<double>(options.seconds);
        std::size_t done = 0, resumed = 0;
        while (Clock::now() < end) {
            const auto packet = connect_packet(options, "d" + std::to_string(done % 1000));
            resumed += connect_once(options, context.get(), packet) ? 1 : 0;
            ++done;
        }
        fmt::print("{{\"done\":{},\"resumed\":{}}}\n", done, resumed);
    } catch (const std::exception& error) {
        fmt::print(stderr, "resume_load: {}\n", error.what());
        return 1;
    }
    return 0;
}
