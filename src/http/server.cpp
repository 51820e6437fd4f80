// SPDX-License-Identifier: Apache-2.0
#include "http/server.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <variant>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "http/body_source.hpp"
#include "http/reader.hpp"
#include "http/writer.hpp"
#include "net/timer.hpp"

namespace http {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds write_limit(30'000);
constexpr milliseconds linger_limit(2'000);

struct Server {
    Handler handler;
    ErrorBody error_body;
    Limits limits;
    Upgrade upgrade;
};

struct Received {
    Request request;
    bool keep_alive;
    bool version_1_0;
};
struct Ended {};
using Reading = std::variant<Received, Refusal, Ended>;

net::Task<base::Status> read_more(net::Stream& stream, std::string& buffer, milliseconds limit) {
    constexpr std::size_t read_size = 4096;
    const std::size_t before = buffer.size();
    buffer.resize(before + read_size);
    const auto into = std::as_writable_bytes(std::span(buffer).subspan(before));
    const auto got = co_await stream.read_some(into, limit);
    buffer.resize(before + got.value_or(0));
    if (!got) co_return std::unexpected(got.error());
    co_return base::Status{};
}

/// Reads one request, of which at least one byte can be read or is in `buffer`.
net::Task<Reading> read_request(const Server& server, net::Stream& stream, std::string& buffer) {
    const Limits& limits = server.limits;
    const bool over_tls = !stream.peer().tls_version.empty();
    RequestReader reader(limits.header, limits.body,
                         over_tls ? RequestReader::Host::required : RequestReader::Host::optional);
    auto end = steady_clock::now() + limits.head_deadline;
    bool in_body = false;
    for (;;) {
        const Progress progress = reader.feed(buffer);
        if (progress == Progress::refused) co_return reader.refusal();
        if (progress == Progress::done) {
            const bool keep_alive = reader.keep_alive();
            const bool version_1_0 = reader.version_1_0();
            co_return Received{reader.take(), keep_alive, version_1_0};
        }
        if (progress == Progress::head) {
            in_body = true;
            end = steady_clock::now() + limits.body_deadline;
            if (!buffer.empty()) continue;  // who sends at once does not wait for 100
            if (reader.expects_continue()) {
                constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
                const auto written = co_await stream.write_all(base::as_bytes(go_on), write_limit);
                if (!written) co_return Ended{};
            }
        }
        const auto status = co_await read_more(stream, buffer, net::left_until(end));
        if (status) continue;
        if (status.error().code == base::Code::timeout) {
            co_return Refusal{
                408, in_body ? "the body did not arrive in time" : "the header did not arrive in time"};
        }
        co_return Ended{};
    }
}

/// Sends the pieces of a body one by one, each within the limit of a write: a peer that does not read is cut
/// off, and no more than one piece of it is held. False where nothing can follow on this connection.
net::Task<bool> send_pieces(net::Stream& stream, Response response, Framing framing) {
    const bool chunked = !framing.close && !framing.keep_1_0;
    framing.length = chunked ? Framing::Length::chunked : Framing::Length::until_close;
    framing.close = !chunked;
    framing.keep_1_0 = false;
    const auto source = std::move(response.source);
    std::string bytes = write_response(response, framing);
    for (;;) {
        const auto written = co_await stream.write_all(base::as_bytes(bytes), write_limit);
        if (!written) co_return false;
        const std::string piece = co_await source->next();
        if (piece.empty()) break;
        bytes = chunked ? write_chunk(piece) : piece;
    }
    if (!chunked) co_return false;
    bytes = write_chunk({});
    const auto written = co_await stream.write_all(base::as_bytes(bytes), write_limit);
    co_return written.has_value();
}

net::Task<bool> send(net::Stream& stream, Response response, Framing framing) {
    framing.date = base::format_rfc1123(base::system_clock().now());
    if (response.source && !framing.omit_body) {
        const bool more = co_await send_pieces(stream, std::move(response), framing);
        co_return more;
    }
    const std::string bytes = write_response(response, framing);
    const auto written = co_await stream.write_all(base::as_bytes(bytes), write_limit);
    co_return written.has_value();
}

net::Task<> refuse(const Server& server, net::Stream& stream, Refusal refusal) {
    base::log::info(base::events::request_refused, {{"peer", stream.peer().address},
                                                    {"status", std::to_string(refusal.status)},
                                                    {"reason", refusal.reason}});
    auto response = server.error_body(refusal.status, refusal.reason);
    const Framing framing{.close = true, .date = {}};
    const bool sent = co_await send(stream, std::move(response), framing);
    if (sent) co_await stream.close_after_answer(linger_limit);
}

/// The handler's answer; nullopt where it threw.
net::Task<std::optional<Response>> handle(const Server& server, Request request, const net::Peer& peer) {
    std::string what;
    const std::string target = request.raw_target.substr(0, request.raw_target.find('?'));
    try {
        auto answering = server.handler(std::move(request), peer);
        co_return co_await std::move(answering);
    } catch (const std::exception& error) {
        what = error.what();
    } catch (...) {
        what = "unknown exception";
    }
    base::log::error(
        base::events::task_failed,
        base::Error{base::Code::internal, "request handler", "ended with an exception: " + what, {}},
        {{"target", target}});
    co_return std::nullopt;
}

/// What comes after an answer: another request, another protocol, or the end.
struct Next {
    bool more = false;
    std::function<net::Task<>(net::Stream, base::Bytes)> protocol;
};

base::Bytes taken_from(std::string& buffer) {
    const auto bytes = base::as_bytes(buffer);
    base::Bytes taken(bytes.begin(), bytes.end());
    buffer = std::string();
    return taken;
}

net::Task<Next> answer_one(const Server& server, net::Stream& stream, std::string& buffer) {
    auto reading = co_await read_request(server, stream, buffer);
    if (std::holds_alternative<Ended>(reading)) co_return Next{};
    if (auto* refusal = std::get_if<Refusal>(&reading)) {
        co_await refuse(server, stream, std::move(*refusal));
        co_return Next{};
    }
    auto& received = std::get<Received>(reading);
    const bool head = received.request.verb == Verb::head;
    const bool close = !received.keep_alive || server.limits.close_after_answer;
    const bool keep_1_0 = received.version_1_0 && !close;
    std::optional<Switch> change;
    if (server.upgrade) change = server.upgrade(received.request, stream.peer());
    if (change && change->serve) {
        // Named: g++ 12 frees the strings of a braced temporary in an awaiting call twice.
        const Framing plain;
        const bool sent = co_await send(stream, std::move(change->answer), plain);
        if (!sent) co_return Next{};
        co_return Next{false, std::move(change->serve)};
    }
    std::optional<Response> answer;
    if (change)
        answer = std::move(change->answer);
    else
        answer = co_await handle(server, std::move(received.request), stream.peer());
    const bool threw = !answer.has_value();
    if (threw) answer = server.error_body(500, "internal error");
    const Framing framing{.close = close || threw, .keep_1_0 = keep_1_0, .omit_body = head, .date = {}};
    const bool sent = co_await send(stream, std::move(*answer), framing);
    co_return Next{sent && !framing.close, {}};
}

net::Task<> serve_stream(std::shared_ptr<const Server> server, net::Stream stream) {
    std::string buffer;
    for (;;) {
        if (buffer.empty()) {
            buffer = std::string();  // an idle connection holds no memory of its own
            const auto ready = co_await stream.readable_when_idle(server->limits.idle);
            if (!ready) break;
        }
        auto next = co_await answer_one(*server, stream, buffer);
        if (next.protocol) {
            const auto protocol = std::move(next.protocol);
            server.reset();
            auto early = taken_from(buffer);
            auto serving = protocol(std::move(stream), std::move(early));
            co_await std::move(serving);
            co_return;
        }
        if (!next.more) break;
    }
    stream.close();
}

}  // namespace

net::Serve serve(Handler handler, ErrorBody error_body, Limits limits, Upgrade upgrade) {
    auto server = std::make_shared<const Server>(
        Server{std::move(handler), std::move(error_body), limits, std::move(upgrade)});
    return [server](net::Stream stream) { return serve_stream(server, std::move(stream)); };
}

}  // namespace http
