// SPDX-License-Identifier: Apache-2.0
#include "hub/message_reading.hpp"

#include <chrono>
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "http/body_source.hpp"
#include "hub/query.hpp"

namespace hub {

namespace {

constexpr std::size_t most_events = 500;
/// Of one piece of an event stream: so much at most waits for a slow reader, or one event.
constexpr std::size_t piece_octets = 256 * 1024;
/// After so long without an event a comment is sent: proxies keep the connection, and a reader that has gone
/// is noticed.
constexpr std::chrono::seconds heartbeat{15};
constexpr std::string_view comment = ":\n\n";

/// An offset that the log cannot have given is of another log: what is kept has not been seen.
Start at(const Telemetry& telemetry, std::uint64_t offset) {
    if (offset <= telemetry.next()) return {offset, std::nullopt};
    return {telemetry.first(), offset};
}

class EventStream final : public http::BodySource {
  public:
    EventStream(const Services& services, LoopState& here, Start start)
        : services_(services), place_(here.messages, "events"), start_(start) {}

    net::Task<std::string> next() override {
        if (!begun_) {
            // The head is on its way before the first event is.
            begun_ = true;
            co_return std::string(comment);
        }
        for (;;) {
            if (services_.stopping) co_return std::string();
            auto batch = read_batch(services_.telemetry, start_, piece_octets, Form::events);
            if (!batch) {
                base::log::error(base::events::store_failed, batch.error());
                co_return std::string();
            }
            start_ = {batch->next, std::nullopt};
            if (!batch->lines.empty()) co_return std::move(batch->lines);
            const bool woken = co_await place_.wait(heartbeat);
            if (!woken && !services_.stopping) co_return std::string(comment);
        }
    }

  private:
    const Services& services_;
    Waiters::Place place_;
    Start start_;
    bool begun_ = false;
};

}  // namespace

std::expected<Start, Refusal> start_of(const Call& call, bool event_stream) {
    const auto& telemetry = call.services.telemetry;
    if (event_stream) {
        // EventSource comes back with the address it had, and with this.
        if (const auto last = call.request.headers.get("Last-Event-ID"); last && !last->empty()) {
            const auto seen = to_number<std::uint64_t>(*last);
            if (!seen)
                return std::unexpected(
                    Refusal{azure::ErrorCode::argument_invalid, "Last-Event-ID is no offset"});
            return at(telemetry, *seen + 1);
        }
    }
    const auto consumer = call.request.target.value("consumer").value_or(std::string());
    if (!consumer.empty()) {
        if (auto fine = check_consumer_name(consumer); !fine)
            return std::unexpected(Refusal{azure::ErrorCode::argument_invalid, fine.error().text()});
    }
    const auto from = call.request.target.value("from").value_or(std::string());
    if (from.empty() && !consumer.empty()) {
        if (const auto stored = call.services.consumers.offset(consumer)) return at(telemetry, *stored);
    }
    if (from.empty() || from == "now") return Start{telemetry.next(), std::nullopt};
    if (from == "beginning") return Start{telemetry.first(), std::nullopt};
    const auto offset = to_number<std::uint64_t>(from);
    if (!offset) {
        return std::unexpected(
            Refusal{azure::ErrorCode::argument_invalid, "from is not beginning, now or an offset"});
    }
    return at(telemetry, *offset);
}

base::Result<Batch> read_batch(const Telemetry& telemetry, const Start& start, std::size_t octets,
                               Form form) {
    SP_TRY(return, const auto stored, telemetry.read(start.offset, most_events, octets));
    Batch batch{{}, start.offset, start.gone};
    if (stored.empty()) return batch;
    if (stored.front().offset > start.offset && !batch.gone) batch.gone = start.offset;
    if (batch.gone && form == Form::events) {
        batch.lines = "event: gone\ndata: {\"asked\":" + std::to_string(*batch.gone) +
                      ",\"first\":" + std::to_string(stored.front().offset) + "}\n\n";
    }
    for (const auto& [offset, event] : stored) {
        const auto json = azure::event_json(event, azure::ShowProperties::all, offset);
        if (form == Form::lines)
            batch.lines += json + "\n";
        else
            batch.lines += "id: " + std::to_string(offset) + "\ndata: " + json + "\n\n";
    }
    batch.next = stored.back().offset + 1;
    return batch;
}

std::shared_ptr<http::BodySource> make_event_stream(const Services& services, LoopState& here, Start start) {
    return std::make_shared<EventStream>(services, here, start);
}

}  // namespace hub
