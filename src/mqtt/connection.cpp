// SPDX-License-Identifier: Apache-2.0
#include "mqtt/connection.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "mqtt/overloaded.hpp"

namespace mqtt {

namespace {

/// How much is read at a time where the size of the packet is not known yet, and at most.
constexpr std::size_t first_read = 2048;
constexpr std::size_t largest_read = 64 * 1024;
/// How long a closing connection may take to write its last packets.
constexpr std::chrono::milliseconds farewell{3000};

/// Keep-alive counts on the steady clock: nobody is silent because a clock was set.
base::Instant steady_now() {
    return base::Instant(
        std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch()));
}

base::Error ended(std::string reason) {
    return {base::Code::closed, "connection", std::move(reason), ""};
}

}  // namespace

std::shared_ptr<Connection> Connection::make(net::Stream stream, const base::Clock& clock, Options options,
                                             std::unique_ptr<net::Framing> framing, base::Bytes early) {
    return std::shared_ptr<Connection>(
        new Connection(std::move(stream), clock, options, std::move(framing), std::move(early)));
}

Connection::Connection(net::Stream stream, const base::Clock& clock, Options options,
                       std::unique_ptr<net::Framing> framing, base::Bytes early)
    : loop_(net::this_loop()),
      stream_(std::move(stream)),
      framing_(std::move(framing)),
      clock_(clock),
      options_(options),
      opened_(steady_now()),
      in_(std::move(early)) {}

net::Task<Ended> Connection::run(ConnectionHandler& handler) {
    const auto self = shared_from_this();
    if (auto fine = unwrap(0); !fine) finish(std::move(fine).error());
    co_await serve(handler);
    if (framing_ && stream_.is_open()) {
        framing_->end(out_);
        told_ = true;
        flush();
    }
    // A notification of an earlier writer may be left over, so the flag decides.
    while (writing_) {
        const bool notified = co_await drained_.wait(farewell);
        if (!notified) break;
    }
    // Closing over bytes that were not read resets the connection, and a reset can overtake the answer.
    if (told_ && stream_.is_open()) co_await stream_.close_after_answer(farewell);
    stream_.close();
    clock_watch_.reset();
    Ended result{end_.value_or(ended("ended")), orderly_, started_, session_.will()};
    co_return result;
}

net::Task<> Connection::serve(ConnectionHandler& handler) {
    while (!end_) {
        if (pending_ >= options_.window) {
            co_await wait_for_window();
            continue;
        }
        if (paused()) {
            co_await wait_for_pause();
            continue;
        }
        std::size_t used = 0;
        while (!end_ && pending_ < options_.window && !paused()) {
            const std::span<const std::byte> rest = std::span(in_).subspan(used);
            const bool first = session_.state() == Session::State::awaiting_connect;
            auto size = packet_size(rest);
            if (!size) {
                finish(std::move(size.error()));
                break;
            }
            if (first && *size && **size > limits::first_packet) {
                finish({base::Code::too_large, "CONNECT",
                        "has " + std::to_string(**size) + " bytes, over the limit of " +
                            std::to_string(limits::first_packet),
                        ""});
                break;
            }
            if (!*size || rest.size() < **size) break;
            auto decoded = decode(rest);
            if (!decoded) {
                finish(std::move(decoded.error()));
                break;
            }
            if (!*decoded) break;
            used += (*decoded)->consumed;
            auto actions = session_.on_packet(std::move((*decoded)->packet), steady_now());
            co_await handle(std::move(actions), handler);
        }
        if (used == in_.size()) {
            base::Bytes().swap(in_);
        } else if (used > 0) {
            in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(used));
        }
        if (end_ || pending_ >= options_.window || paused()) continue;
        const auto ready = co_await await_input();
        const auto taken = co_await take_input(ready);
        if (!taken) finish(taken.error());
    }
}

namespace {

/// One second more, since an Instant has no fraction: nobody is cut off early.
std::chrono::milliseconds until(base::Instant when, base::Instant now) {
    if (when >= now + std::chrono::hours(24)) return std::chrono::hours(24);
    return std::max<std::chrono::milliseconds>(when - now + std::chrono::seconds(1),
                                               std::chrono::milliseconds(1));
}

}  // namespace

std::chrono::milliseconds Connection::patience() const {
    const auto limit = until(silent_after(), steady_now());
    return expires_ ? std::min(limit, until(*expires_, clock_.now())) : limit;
}

// No coroutine of its own: what an idle connection waits in is paid for by each of them.
net::Task<base::Status> Connection::await_input() {
    // Nothing is owed to a peer that has not introduced itself: it does not hold up the end of the process.
    if (session_.state() == Session::State::awaiting_connect) return stream_.readable_when_idle(patience());
    return stream_.readable(patience());
}

net::Task<base::Status> Connection::take_input(base::Status ready) {
    if (!ready && ready.error().code != base::Code::timeout) co_return ready;
    if (has_expired()) co_return std::unexpected(expired_);
    if (steady_now() >= silent_after()) {
        co_return base::fail(
            base::Code::timeout, "peer",
            started_ ? "was silent for longer than its keep-alive allows" : "sent no CONNECT in time");
    }
    if (!ready) co_return base::Status{};
    std::size_t want = first_read;
    const auto size = packet_size(in_);
    if (size && *size && **size > in_.size()) want = std::min(**size - in_.size(), largest_read);
    const std::size_t have = in_.size();
    in_.resize(have + want);
    const std::span<std::byte> tail = std::span(in_).subspan(have);
    const auto got = co_await stream_.read_some(tail, patience());
    in_.resize(have + (got ? *got : 0));
    if (!got && got.error().code != base::Code::timeout) co_return std::unexpected(got.error());
    if (auto fine = unwrap(have); !fine) co_return std::unexpected(std::move(fine).error());
    if (have == 0 && in_.empty()) base::Bytes().swap(in_);
    co_return base::Status{};
}

/// Replaces what `in_` holds behind `from`, as it was read, by what it carries.
base::Status Connection::unwrap(std::size_t from) {
    if (!framing_ || in_.size() == from) return {};
    const base::Bytes received(in_.begin() + static_cast<std::ptrdiff_t>(from), in_.end());
    in_.resize(from);
    auto fine = framing_->unwrap(received, in_, out_);
    flush();
    return fine;
}

net::Task<> Connection::handle(std::vector<Action> actions, ConnectionHandler& handler) {
    for (auto& action : actions) {
        if (end_) co_return;
        if (auto* connect = std::get_if<Authenticate>(&action)) {
            co_await decide(std::move(connect->connect), handler);
            continue;
        }
        std::visit(
            Overloaded{[&](Send& send) {
                           // A CONNACK of the session itself is a refusal: of the protocol level, of the
                           // client id.
                           told_ = told_ || std::holds_alternative<Connack>(send.packet);
                           enqueue(send.packet);
                       },
                       [&](Authenticate&) {},
                       [&](Deliver& deliver) {
                           if (deliver.message.qos == Qos::at_least_once) ++pending_;
                           handler.deliver(std::move(deliver.message));
                       },
                       [&](Grant& grant) {
                           auto answer = handler.subscribe(grant.request);
                           transmit(session_.granted(grant.request.packet_id, std::move(answer.codes)));
                           told_ = told_ || answer.close;
                           if (answer.close) finish(std::move(*answer.close));
                       },
                       [&](Revoke& revoke) { handler.unsubscribe(revoke.request); },
                       [&](Acknowledged& done) { handler.acknowledged(done.packet_id); },
                       [&](End&) {
                           orderly_ = true;
                           finish(ended("the peer said DISCONNECT"));
                       },
                       [&](Close& close) { finish(std::move(close.why)); }},
            action);
    }
}

net::Task<> Connection::decide(Connect connect, ConnectionHandler& handler) {
    auto answer = co_await handler.authenticate(std::move(connect));
    if (end_) co_return;
    if (auto* refuse = std::get_if<Refuse>(&answer)) {
        told_ = true;
        auto last = session_.refuse(refuse->code, std::move(refuse->why));
        co_await handle(std::move(last), handler);
        co_return;
    }
    if (auto* drop = std::get_if<Drop>(&answer)) {
        finish(std::move(drop->why));
        co_return;
    }
    started_ = true;
    auto next = session_.accept(std::get<Accept>(answer).session_present, steady_now());
    // CONNACK stands first; what waited behind CONNECT comes after the handler knows that the session has
    // started.
    if (!next.empty()) {
        std::vector<Action> connack;
        connack.push_back(std::move(next.front()));
        next.erase(next.begin());
        transmit(std::move(connack));
    }
    handler.started();
    co_await handle(std::move(next), handler);
}

net::Task<> Connection::wait_for_window() {
    while (!end_ && pending_ >= options_.window) co_await resumed_.wait(std::chrono::minutes(1));
}

bool Connection::paused() const {
    return paused_until_ > std::chrono::steady_clock::time_point{} &&
           std::chrono::steady_clock::now() < paused_until_;
}

void Connection::pause(std::chrono::milliseconds how_long) {
    paused_until_ = std::chrono::steady_clock::now() + how_long;
}

net::Task<> Connection::wait_for_pause() {
    while (!end_ && paused()) {
        const auto left = paused_until_ - std::chrono::steady_clock::now();
        co_await resumed_.wait(std::chrono::ceil<std::chrono::milliseconds>(left));
    }
    session_.listen_again(steady_now());
}

net::Task<> Connection::write_out(std::shared_ptr<Connection> self) {
    while (!self->out_.empty() && self->stream_.is_open()) {
        const base::Bytes batch = std::exchange(self->out_, {});
        const auto written = co_await self->stream_.write_all(batch, self->options_.write_limit);
        if (!written) {
            self->close(written.error());
            break;
        }
    }
    self->writing_ = false;
    self->drained_.notify();
}

void Connection::transmit(std::vector<Action> actions) {
    for (auto& action : actions) {
        if (auto* send = std::get_if<Send>(&action)) enqueue(send->packet);
        if (auto* closing = std::get_if<Close>(&action)) close(std::move(closing->why));
    }
}

void Connection::enqueue(const Packet& packet) {
    if (!stream_.is_open()) return;
    const auto bytes = encode(packet);
    if (framing_)
        framing_->wrap(bytes, out_);
    else
        out_.insert(out_.end(), bytes.begin(), bytes.end());
    flush();
}

void Connection::flush() {
    if (out_.size() > options_.output) {
        close({base::Code::rate_limited, "peer", "does not read what is sent to it", ""});
        return;
    }
    if (writing_ || out_.empty() || !stream_.is_open()) return;
    writing_ = true;
    loop_.spawn("mqtt.write", write_out(shared_from_this()));
}

void Connection::stored(std::uint16_t packet_id) {
    if (pending_ > 0) --pending_;
    resumed_.notify();
    if (end_) return;
    transmit(session_.stored(packet_id));
}

std::optional<std::uint16_t> Connection::send(Publish message, std::uint16_t wanted) {
    if (end_ || session_.state() != Session::State::running) return std::nullopt;
    auto numbered = session_.send(std::move(message), wanted);
    if (!numbered) return std::nullopt;
    const auto id = numbered->packet_id;
    enqueue(*numbered);
    return id;
}

void Connection::close(base::Error why) {
    if (end_) return;
    finish(std::move(why));
    stream_.close();
    resumed_.notify();
}

void Connection::end_at(base::Instant when, base::Error why) {
    expires_ = when;
    expired_ = std::move(why);
    if (!clock_watch_)
        clock_watch_.emplace([this] {
            if (has_expired()) close(expired_);
        });
}

void Connection::finish(base::Error why) {
    if (!end_) end_ = std::move(why);
}

base::Instant Connection::silent_after() const {
    return session_.state() == Session::State::awaiting_connect ? opened_ + limits::connect_deadline
                                                                : session_.silent_after();
}

}  // namespace mqtt
