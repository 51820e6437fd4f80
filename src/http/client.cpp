// SPDX-License-Identifier: Apache-2.0
#include "http/client.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "http/reader.hpp"
#include "http/writer.hpp"

namespace http {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t header_limit = 64 * 1024;
constexpr std::size_t body_limit = 16 * 1024 * 1024;
constexpr std::size_t read_size = 16 * 1024;

std::string host_field(const Endpoint& endpoint) {
    const auto* tls = std::get_if<TlsEndpoint>(&endpoint);
    if (tls == nullptr) return "localhost";
    std::string host = tls->target.name.empty() ? tls->target.host : tls->target.name;
    if (host.find(':') != std::string::npos && !host.starts_with('[')) host = "[" + host + "]";
    if (tls->target.port != 443) host += ":" + std::to_string(tls->target.port);
    return host;
}

/// Who is asked, for errors.
std::string thing_of(const Endpoint& endpoint) {
    if (const auto* tls = std::get_if<TlsEndpoint>(&endpoint)) {
        return "server " + tls->target.host + ":" + std::to_string(tls->target.port);
    }
    return "socket " + std::get<UnixEndpoint>(endpoint).path;
}

net::Task<base::Result<net::Stream>> connect(Endpoint endpoint, milliseconds limit,
                                             const base::Clock& clock) {
    if (const auto* local = std::get_if<UnixEndpoint>(&endpoint)) {
        auto stream = co_await net::connect_unix(local->path, limit);
        co_return stream;
    }
    const auto& tls = std::get<TlsEndpoint>(endpoint);
    auto connected = co_await net::connect_tls(tls.target, tls.tls, limit, clock, tls.verdict);
    if (!connected) co_return std::unexpected(std::move(connected).error());
    co_return std::move(connected->stream);
}

net::Task<base::Result<Response>> read_response(net::Stream& stream, ResponseReader::Body body,
                                                steady_clock::time_point end, std::string thing) {
    ResponseReader reader(header_limit, body_limit, body);
    std::string buffer;
    for (;;) {
        Progress progress = reader.feed(buffer);
        while (progress == Progress::head && !buffer.empty()) progress = reader.feed(buffer);
        if (progress == Progress::need_more || progress == Progress::head) {
            const std::size_t before = buffer.size();
            buffer.resize(before + read_size);
            const auto into = std::as_writable_bytes(std::span(buffer).subspan(before));
            const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
            const auto got = co_await stream.read_some(into, std::max(left, milliseconds(0)));
            buffer.resize(before + got.value_or(0));
            if (got) continue;
            if (got.error().code == base::Code::closed) {
                progress = reader.end();
                if (progress == Progress::refused) {
                    co_return base::fail(base::Code::unavailable, thing,
                                         "ended the connection within its answer");
                }
            } else {
                const bool late = got.error().code == base::Code::timeout;
                co_return base::fail(got.error().code, thing,
                                     late ? "did not answer in time" : got.error().reason);
            }
        }
        if (progress == Progress::done) co_return reader.take();
        if (progress == Progress::refused) {
            const bool large = reader.refusal().status != 400;
            co_return base::fail(large ? base::Code::too_large : base::Code::malformed, thing,
                                 "gave an answer that cannot be read: " + reader.refusal().reason);
        }
    }
}

net::Task<base::Result<Response>> exchange(Endpoint endpoint, Request request, milliseconds limit,
                                           const base::Clock& clock) {
    const auto end = steady_clock::now() + std::min(limit, milliseconds(std::chrono::hours(24)));
    const std::string thing = thing_of(endpoint);
    const std::string bytes = write_request(request, host_field(endpoint));
    const auto body =
        request.verb == Verb::head ? ResponseReader::Body::none : ResponseReader::Body::as_framed;
    SP_TRY(co_return, auto stream, co_await connect(std::move(endpoint), limit, clock));
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    const auto written = co_await stream.write_all(base::as_bytes(bytes), std::max(left, milliseconds(0)));
    // A server may answer and close before it has read all; its answer is worth more than our broken write.
    const bool broken = !written && written.error().code == base::Code::closed;
    if (!written && !broken) co_return base::fail(written.error().code, thing, written.error().reason);
    auto response = co_await read_response(stream, body, end, thing);
    stream.close();
    co_return response;
}

}  // namespace

net::Task<base::Result<Response>> request(Endpoint endpoint, Request request, milliseconds limit,
                                          const base::Clock& clock) {
    return exchange(std::move(endpoint), std::move(request), limit, clock);
}

}  // namespace http
