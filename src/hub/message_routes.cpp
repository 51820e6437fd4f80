// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/log.hpp"
#include "hub/device_message.hpp"
#include "hub/handlers.hpp"
#include "hub/query.hpp"
#include "net/completion.hpp"

namespace hub {

namespace {

constexpr std::chrono::seconds longest_wait{55};
constexpr std::size_t most_events = 500;
constexpr std::size_t most_octets = 4 * 1024 * 1024;
/// Where the next question goes on, also after an answer without events.
constexpr std::string_view next_header = "sallyport-next-offset";

std::expected<std::uint64_t, Refusal> position(const Call& call) {
    const auto from = call.request.target.value("from").value_or("now");
    if (from == "now" || from.empty()) return call.services.telemetry.next();
    if (from == "beginning") return call.services.telemetry.first();
    std::uint64_t offset = 0;
    const auto* end = from.data() + from.size();
    const auto [rest, error] = std::from_chars(from.data(), end, offset);
    if (error != std::errc{} || rest != end) {
        return std::unexpected(
            Refusal{azure::ErrorCode::argument_invalid, "from is not beginning, now or an offset"});
    }
    return offset;
}

/// The form of an answer: JSON lines, or server-sent events for browsers.
enum class Form { lines, events };

std::string write(const std::vector<Telemetry::Stored>& stored, Form form) {
    std::string body;
    for (const auto& [offset, event] : stored) {
        const auto json = azure::event_json(event, azure::ShowProperties::all, offset);
        // The id is where EventSource goes on with Last-Event-ID.
        if (form == Form::lines)
            body += json + "\n";
        else
            body += "id: " + std::to_string(offset) + "\ndata: " + json + "\n\n";
    }
    return body;
}

/// Appends a batch at one go; `done` once all of it is durable, with the first failure where there is one.
void append_all(Telemetry& telemetry, const Sender& sender, std::vector<azure::Message> messages,
                std::chrono::sys_time<std::chrono::milliseconds> now,
                std::function<void(base::Status)> done) {
    if (messages.empty()) return done({});
    struct Batch {
        std::mutex mutex;
        std::size_t left;
        base::Status outcome;
        std::function<void(base::Status)> done;
    };
    const auto batch = std::make_shared<Batch>();
    batch->left = messages.size();
    batch->done = std::move(done);
    for (auto& message : messages) {
        const auto event = make_event(sender, std::move(message), now);
        telemetry.append(event, [batch](const base::Result<std::uint64_t>& stored) {
            std::unique_lock lock(batch->mutex);
            if (!stored && batch->outcome) batch->outcome = std::unexpected(stored.error());
            if (--batch->left > 0) return;
            lock.unlock();
            batch->done(std::move(batch->outcome));
        });
    }
}

}  // namespace

Answer get_events(Call& call) {
    const auto wait = query_number(call.request.target, "wait", 0, longest_wait.count());
    if (!wait) co_return call.refuse(wait.error());
    const auto start = position(call);
    if (!start) co_return call.refuse(start.error());
    const auto accept = call.request.headers.get("Accept").value_or("");
    const auto form = accept.find("text/event-stream") == std::string_view::npos ? Form::lines : Form::events;

    Waiters::Place place(call.here.messages, "events");
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(wait->value_or(0));
    for (;;) {
        const auto stored = call.services.telemetry.read(*start, most_events, most_octets);
        if (!stored) {
            base::log::error(base::events::store_failed, stored.error());
            co_return call.refuse(stored.error());
        }
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (stored->empty() && left.count() > 0 && !call.services.stopping) {
            co_await place.wait(left);
            continue;
        }
        http::Response response;
        response.headers.set("Content-Type", form == Form::lines ? "application/x-ndjson; charset=utf-8"
                                                                 : "text/event-stream");
        response.headers.set("Cache-Control", "no-store");
        response.headers.set(next_header,
                             std::to_string(stored->empty() ? *start : stored->back().offset + 1));
        response.body = write(*stored, form);
        co_return response;
    }
}

Answer post_event(Call& call) {
    Sender sender;
    if (call.caller.sender) {
        sender = *call.caller.sender;
    } else {
        // A policy with DeviceConnect speaks as any enabled identity, but not as one that is not there.
        sender.identity = {call.at("d"), call.captured.contains("m") ? call.at("m") : std::string()};
        const auto record = call.here.reader->record(sender.identity);
        if (!record) co_return call.refuse(record.error());
        if (!*record) co_return call.refuse(azure::ErrorCode::device_not_found, sender.identity.text());
        if ((*record)->device_status != trust::Enablement::enabled) {
            co_return call.refuse(azure::ErrorCode::device_disabled, sender.identity.text());
        }
        sender.generation = (*record)->generation;
        sender.method = R"({"scope":"hub","type":"sas","issuer":"iothub"})";
    }
    auto messages = read_device_messages(call.request);
    if (!messages) co_return call.refuse(messages.error());
    const auto start = [&](auto done) {
        append_all(call.services.telemetry, sender, *std::move(messages), call.services.clock.now_ms(),
                   std::move(done));
    };
    const auto stored = co_await net::await_callback<base::Status>(start);
    if (!stored) {
        base::log::error(base::events::store_failed, stored.error());
        co_return call.refuse(stored.error());
    }
    co_return http::Response::empty(204);
}

}  // namespace hub
