// SPDX-License-Identifier: Apache-2.0
#include "http/client.hpp"

#include <algorithm>
#include <utility>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "http/reader.hpp"
#include "http/writer.hpp"

namespace http {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t header_limit = 64 * 1024;
constexpr std::size_t read_size = 16 * 1024;

std::string host_text(std::string host, std::uint16_t port, std::uint16_t usual) {
    if (host.find(':') != std::string::npos && !host.starts_with('[')) host = "[" + host + "]";
    if (port != usual) host += ":" + std::to_string(port);
    return host;
}

std::string host_field(const Endpoint& endpoint) {
    if (const auto* plain = std::get_if<PlainEndpoint>(&endpoint))
        return host_text(plain->host, plain->port, 80);
    const auto* tls = std::get_if<TlsEndpoint>(&endpoint);
    if (tls == nullptr) return "localhost";
    return host_text(tls->target.name.empty() ? tls->target.host : tls->target.name, tls->target.port, 443);
}

/// Who is asked, for errors.
std::string thing_of(const Endpoint& endpoint) {
    if (const auto* tls = std::get_if<TlsEndpoint>(&endpoint)) {
        return "server " + tls->target.host + ":" + std::to_string(tls->target.port);
    }
    if (const auto* plain = std::get_if<PlainEndpoint>(&endpoint)) {
        return "server " + plain->host + ":" + std::to_string(plain->port);
    }
    return "socket " + std::get<UnixEndpoint>(endpoint).path;
}

net::Task<base::Result<net::Stream>> connect(Endpoint endpoint, milliseconds limit,
                                             const base::Clock& clock) {
    if (const auto* local = std::get_if<UnixEndpoint>(&endpoint)) {
        auto stream = co_await net::connect_unix(local->path, limit);
        co_return stream;
    }
    if (const auto* plain = std::get_if<PlainEndpoint>(&endpoint)) {
        auto stream = co_await net::connect_plain(plain->host, plain->port, limit);
        co_return stream;
    }
    const auto& tls = std::get<TlsEndpoint>(endpoint);
    auto connected = co_await net::connect_tls(tls.target, tls.tls, limit, clock, tls.verdict);
    if (!connected) co_return std::unexpected(std::move(connected).error());
    co_return std::move(connected->stream);
}

/// The whole of what is left until `end`, never negative.
milliseconds left_until(steady_clock::time_point end) {
    return std::max(std::chrono::ceil<milliseconds>(end - steady_clock::now()), milliseconds(0));
}

steady_clock::time_point end_after(milliseconds limit) {
    return steady_clock::now() + std::min(limit, milliseconds(std::chrono::hours(24)));
}

/// A request on a connection of its own, within one limit.
net::Task<base::Result<Response>> exchange(Endpoint endpoint, Request request, milliseconds limit,
                                           const base::Clock& clock, std::size_t body_limit) {
    const auto end = end_after(limit);
    request.headers.set("Connection", "close");
    auto connection = co_await Connection::open(std::move(endpoint), limit, clock);
    if (!connection) co_return std::unexpected(std::move(connection).error());
    connection->limit_body(body_limit);
    auto response = co_await connection->ask(std::move(request), left_until(end));
    co_return response;
}

}  // namespace

Connection::Connection(net::Stream stream, std::string host, std::string thing)
    : stream_(std::move(stream)), host_(std::move(host)), thing_(std::move(thing)) {}

net::Task<base::Result<Connection>> Connection::open(Endpoint endpoint, milliseconds limit,
                                                     const base::Clock& clock) {
    auto host = host_field(endpoint);
    auto thing = thing_of(endpoint);
    auto stream = co_await connect(std::move(endpoint), limit, clock);
    if (!stream) co_return std::unexpected(std::move(stream).error());
    co_return Connection(*std::move(stream), std::move(host), std::move(thing));
}

net::Task<base::Result<Response>> Connection::read_response(bool without_body, steady_clock::time_point end) {
    ResponseReader reader(header_limit, body_limit_,
                          without_body ? ResponseReader::Body::none : ResponseReader::Body::as_framed);
    std::string buffer;
    for (;;) {
        Progress progress = reader.feed(buffer);
        while (progress == Progress::head && !buffer.empty()) progress = reader.feed(buffer);
        if (progress == Progress::need_more || progress == Progress::head) {
            const std::size_t before = buffer.size();
            buffer.resize(before + read_size);
            const auto into = std::as_writable_bytes(std::span(buffer).subspan(before));
            const auto got = co_await stream_.read_some(into, left_until(end));
            buffer.resize(before + got.value_or(0));
            if (got) {
                silent_ = false;
                continue;
            }
            if (got.error().code == base::Code::closed) {
                progress = reader.end();
                reusable_ = false;
                if (progress == Progress::refused) {
                    co_return base::fail(base::Code::unavailable, thing_,
                                         "ended the connection within its answer");
                }
            } else {
                const bool late = got.error().code == base::Code::timeout;
                if (late) silent_ = false;
                co_return base::fail(got.error().code, thing_,
                                     late ? "did not answer in time" : got.error().reason);
            }
        }
        if (progress == Progress::done) {
            // What follows an answer that nobody asked for belongs to no request of ours.
            reusable_ = reusable_ && buffer.empty();
            co_return reader.take();
        }
        if (progress == Progress::refused) {
            const bool large = reader.refusal().status != 400;
            co_return base::fail(large ? base::Code::too_large : base::Code::malformed, thing_,
                                 "gave an answer that cannot be read: " + reader.refusal().reason);
        }
    }
}

net::Task<base::Result<Response>> Connection::ask(Request request, milliseconds limit) {
    const auto end = end_after(limit);
    const bool keep = request.headers.get("connection") != "close";
    const std::string bytes = write_request(request, host_, keep);
    const bool promised = std::exchange(reusable_, keep);
    silent_ = true;
    if (!promised) co_return base::fail(base::Code::closed, thing_, "has ended this connection");
    const auto written = co_await stream_.write_all(base::as_bytes(bytes), limit);
    // A server may answer and close before it has read all; its answer is worth more than our broken write.
    const bool broken = !written && written.error().code == base::Code::closed;
    base::Result<Response> response = base::fail(base::Code::unavailable, thing_, "was not asked");
    if (written || broken)
        response = co_await read_response(request.verb == Verb::head, end);
    else
        response = base::fail(written.error().code, thing_, written.error().reason);
    if (!response || response->headers.get("connection") == "close") reusable_ = false;
    if (!reusable_) stream_.close();
    co_return response;
}

net::Task<base::Result<Response>> request(Endpoint endpoint, Request request, milliseconds limit,
                                          const base::Clock& clock, std::size_t body_limit) {
    return exchange(std::move(endpoint), std::move(request), limit, clock, body_limit);
}

}  // namespace http
