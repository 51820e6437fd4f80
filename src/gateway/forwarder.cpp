// SPDX-License-Identifier: Apache-2.0
#include "gateway/forwarder.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"

namespace gateway {

namespace {

using Steady = std::chrono::steady_clock;

/// Messages of one identity on their way at once: enough to fill a round trip, little to send again.
constexpr std::size_t window = 64;
/// Bodies kept in memory; what is beyond is read again when its turn comes.
constexpr std::size_t lane_bytes = 1024 * 1024;
constexpr std::size_t all_bytes = 32 * 1024 * 1024;
/// Offsets kept in memory; the rest of a long backlog stays in the log until there is room.
constexpr std::size_t most_waiting = 1'000'000;
constexpr std::size_t batch_records = 256;
constexpr std::size_t batch_bytes = 1024 * 1024;
constexpr std::chrono::seconds house_keeping{1};
constexpr std::chrono::seconds look_again{30};
/// An upstream connection without traffic for so long is closed; the next message opens another.
constexpr std::chrono::minutes idle_limit{5};

}  // namespace

Forwarder::Forwarder(store::SegmentLog& log, std::filesystem::path progress, Upstream& upstream,
                     net::TaskGroup& tasks)
    : log_(log),
      progress_file_(std::move(progress)),
      upstream_(upstream),
      tasks_(tasks),
      outbox_(resume(log, progress_file_)) {}

Forwarder::~Forwarder() = default;

Outbox Forwarder::resume(const store::SegmentLog& log, const std::filesystem::path& file) {
    Progress from_start;
    from_start.next = log.first();
    const auto text = base::read_file(file, "progress of the messages");
    if (!text) {
        if (text.error().code != base::Code::not_found) {
            base::log::write(base::log::Level::warning, base::events::messages_failed, text.error(),
                             {{"doing", "sending everything that is kept again"}});
        }
        return Outbox(from_start);
    }
    auto progress = parse_progress(*text);
    if (progress && progress->next > log.next()) {
        progress = base::fail(base::Code::malformed, "progress file " + file.string(), "is not of this log");
    }
    if (!progress) {
        base::log::write(base::log::Level::warning, base::events::messages_failed, progress.error(),
                         {{"doing", "sending everything that is kept again"}});
        return Outbox(from_start);
    }
    return Outbox(std::move(*progress));
}

net::Task<> Forwarder::run() {
    tasks_.spawn("forwarder.house", keep_house());
    bool more = true;
    while (more) more = co_await read_on();
}

net::Task<bool> Forwarder::read_on() {
    if (outbox_.waiting() < most_waiting) {
        auto entries = log_.read(outbox_.next(), batch_records, batch_bytes);
        if (!entries) {
            base::log::error(base::events::messages_failed, entries.error(),
                             {{"doing", "reading what is to be sent"}});
            const bool slept = co_await net::sleep_for(std::chrono::seconds(5));
            co_return slept;
        }
        if (!entries->empty()) {
            for (const auto& entry : *entries) take(entry.offset, entry.record);
            // Others on this loop get their turn between two batches of a long backlog.
            const bool slept = co_await net::sleep_for(std::chrono::milliseconds(1));
            co_return slept;
        }
    }
    const auto before = Steady::now();
    constexpr std::chrono::seconds limit{60};
    const bool notified = co_await wake_.wait(limit);
    co_return notified || Steady::now() - before >= limit;
}

void Forwarder::take(std::uint64_t offset, std::span<const std::byte> record) {
    auto event = azure::decode_event(record);
    if (!event) {
        base::log::error(base::events::messages_dropped, event.error(), {{"offset", std::to_string(offset)}});
        outbox_.skip(offset);
        return;
    }
    const auto identity = event->origin;
    if (!outbox_.take(offset, identity)) return;
    auto& lane = lanes_[identity];
    if (!lane) {
        lane = std::make_shared<Lane>();
        lane->identity = identity;
    }
    Item item{offset, std::nullopt, false};
    if (lane->bytes < lane_bytes && bytes_ < all_bytes) {
        const auto size = event->message.body.size();
        lane->bytes += size;
        bytes_ += size;
        item.event = std::move(*event);
    }
    lane->items.push_back(std::move(item));
    lane->changed.notify();
    if (lane->running) return;
    lane->running = true;
    tasks_.spawn("forwarder.lane", drain(lane));
}

net::Task<> Forwarder::drain(std::shared_ptr<Lane> lane) {
    int failures = 0;
    while (!lane->items.empty() && !stopping_) {
        if (!lane->client || !lane->client->is_open()) {
            const bool go_on = co_await connect(lane, failures);
            if (!go_on) break;
            if (!lane->client) continue;
        }
        const bool progressed = co_await send(lane);
        if (progressed) failures = 0;
        if (lane->items.empty() || !lane->failed) continue;
        lane->client.reset();
        // A connection that ends without having taken anything: not again at once.
        if (progressed) continue;
        const bool slept = co_await net::sleep_for(backoff(++failures));
        if (!slept) break;
    }
    lane->running = false;
    lane->idle_since = Steady::now();
}

/// False: stop. True with a client: go on. True without: look again.
net::Task<bool> Forwarder::connect(std::shared_ptr<Lane> lane, int& failures) {
    lane->client.reset();
    auto opened = co_await upstream_.open(lane->identity);
    if (std::holds_alternative<Stopped>(opened)) co_return false;
    if (auto* client = std::get_if<std::shared_ptr<mqtt::Client>>(&opened)) {
        lane->client = std::move(*client);
        lane->failed.reset();
        lane->in_flight = 0;
        ++lane->epoch;
        for (auto& item : lane->items) item.acknowledged = false;
        co_return true;
    }
    if (auto* unwanted = std::get_if<NotWanted>(&opened)) {
        give_up(*lane, unwanted->reason);
        co_return true;
    }
    spill(*lane);
    if (auto* later = std::get_if<NotNow>(&opened)) {
        base::log::write(base::log::Level::warning, base::events::upstream_refused, later->why,
                         {{"device", lane->identity.device},
                          {"module", lane->identity.module},
                          {"waiting", std::to_string(lane->items.size())}});
        const bool slept = co_await net::sleep_for(backoff(++failures));
        co_return slept;
    }
    co_return true;
}

/// Sends until there is nothing more or the connection fails; whether anything was acknowledged.
net::Task<bool> Forwarder::send(std::shared_ptr<Lane> lane) {
    std::size_t settled = 0;
    while (!lane->items.empty() && !lane->failed) {
        if (!fill_window(lane)) break;
        const auto before = Steady::now();
        const bool changed = co_await lane->changed.wait(look_again);
        settled += settle(*lane);
        // A wait that ends early without a change was cancelled.
        if (!changed && Steady::now() - before < look_again) stopping_ = true;
        if (!lane->client || stopping_) break;
        if (!lane->client->is_open() && !lane->failed) {
            lane->failed = base::Error{base::Code::closed, "upstream connection", "has ended", ""};
        }
    }
    co_return settled > 0;
}

bool Forwarder::fill_window(const std::shared_ptr<Lane>& lane) {
    while (lane->in_flight < std::min(window, lane->items.size())) {
        auto& item = lane->items[lane->in_flight];
        auto event = std::move(item.event);
        if (event) {
            const auto size = event->message.body.size();
            lane->bytes -= size;
            bytes_ -= size;
            item.event.reset();
        } else {
            auto entry = log_.read(item.offset, 1, batch_bytes);
            if (entry && (entry->empty() || entry->front().offset != item.offset)) {
                entry =
                    base::fail(base::Code::io, "message " + std::to_string(item.offset), "is not in the log");
            }
            auto decoded =
                entry ? azure::decode_event(entry->front().record) : std::unexpected(entry.error());
            if (!decoded) {
                lane->failed = std::move(decoded).error();
                base::log::error(base::events::messages_failed, *lane->failed);
                return false;
            }
            event = std::move(*decoded);
        }
        if (!fits_upstream(lane->identity, event->message)) {
            base::log::write(base::log::Level::error, base::events::messages_dropped,
                             base::Error{base::Code::too_large, "message " + std::to_string(item.offset),
                                         "is larger than any hub takes", ""},
                             {{"device", lane->identity.device}});
            item.acknowledged = true;
            ++lane->in_flight;
            lane->changed.notify();
            continue;
        }
        auto topic = azure::telemetry_topic(lane->identity, event->message);
        tasks_.spawn("forwarder.publish", publish(lane, lane->client, lane->epoch, item.offset,
                                                  std::move(topic), std::move(event->message.body)));
        ++lane->in_flight;
    }
    return true;
}

net::Task<> Forwarder::publish(std::shared_ptr<Lane> lane, std::shared_ptr<mqtt::Client> client,
                               std::uint64_t epoch, std::uint64_t offset, std::string topic,
                               base::Bytes payload) {
    auto done = co_await client->publish(std::move(topic), std::move(payload), mqtt::Qos::at_least_once);
    if (lane->epoch != epoch) co_return;
    if (done) {
        const auto at = std::find_if(lane->items.begin(), lane->items.end(),
                                     [&](const Item& item) { return item.offset == offset; });
        if (at != lane->items.end()) at->acknowledged = true;
    } else if (!lane->failed) {
        lane->failed = std::move(done).error();
    }
    lane->changed.notify();
}

std::size_t Forwarder::settle(Lane& lane) {
    std::size_t count = 0;
    while (!lane.items.empty() && lane.items.front().acknowledged) {
        outbox_.acknowledged(lane.identity, lane.items.front().offset);
        lane.items.pop_front();
        --lane.in_flight;
        ++count;
    }
    if (count > 0) dirty_ = true;
    return count;
}

void Forwarder::spill(Lane& lane) {
    for (auto& item : lane.items) item.event.reset();
    bytes_ -= lane.bytes;
    lane.bytes = 0;
}

void Forwarder::give_up(Lane& lane, const std::string& reason) {
    spill(lane);
    const auto count = outbox_.forget(lane.identity);
    lane.items.clear();
    lane.in_flight = 0;
    ++lane.epoch;
    dirty_ = true;
    base::log::warning(base::events::messages_dropped, {{"device", lane.identity.device},
                                                        {"module", lane.identity.module},
                                                        {"count", std::to_string(count)},
                                                        {"reason", reason}});
}

net::Task<> Forwarder::disconnect(std::shared_ptr<mqtt::Client> client) {
    co_await client->disconnect();
}

net::Task<> Forwarder::keep_house() {
    while (true) {
        const bool slept = co_await net::sleep_for(house_keeping);
        if (!slept) co_return;
        save();
        std::vector<std::shared_ptr<mqtt::Client>> idle;
        const auto now = Steady::now();
        std::erase_if(lanes_, [&](auto& entry) {
            auto& lane = *entry.second;
            if (lane.running || !lane.items.empty()) return false;
            const bool ended = !lane.client || !lane.client->is_open();
            if (!ended && now - lane.idle_since < idle_limit) return false;
            if (!ended) idle.push_back(lane.client);
            return true;
        });
        // A hub that does not read what is sent to it keeps nobody but its own connection waiting.
        for (auto& client : idle) tasks_.spawn("forwarder.disconnect", disconnect(std::move(client)));
    }
}

void Forwarder::stop() {
    stopping_ = true;
    for (auto& [identity, lane] : lanes_) {
        lane->client.reset();
        lane->changed.notify();
    }
}

void Forwarder::reconnect() {
    for (auto& [identity, lane] : lanes_) {
        if (!lane->client) continue;
        if (!lane->running) {
            lane->client.reset();
            continue;
        }
        lane->failed = base::Error{base::Code::closed, "upstream connection",
                                   "was made when other certificates were trusted", ""};
        lane->changed.notify();
    }
}

void Forwarder::save() {
    if (!dirty_) return;
    // Removed first: on a disk that these messages have filled, the note has no room before. What is gone was
    // sent, so that an old note is no harm.
    if (auto removed = log_.remove_before(outbox_.keep_from()); !removed) {
        base::log::error(base::events::messages_failed, removed.error(),
                         {{"doing", "removing what was sent"}});
    }
    const auto text = to_text(outbox_.progress());
    if (auto written = base::write_atomically(progress_file_, text, base::secret_mode); !written) {
        if (!std::exchange(note_failed_, true)) {
            base::log::error(base::events::messages_failed, written.error(),
                             {{"doing", "noting what was sent"}});
        }
        return;
    }
    dirty_ = false;
    note_failed_ = false;
}

}  // namespace gateway
