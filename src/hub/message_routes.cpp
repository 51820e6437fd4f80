// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "hub/device_message.hpp"
#include "hub/handlers.hpp"
#include "hub/message_reading.hpp"
#include "hub/query.hpp"
#include "net/completion.hpp"

namespace hub {

namespace {

constexpr std::size_t most_octets = 4 * 1024 * 1024;
/// Where the next question goes on, also after an answer without events.
constexpr std::string_view next_header = "sallyport-next-offset";
/// The offset that was asked for and is not kept any more; the answer goes on at the first that is.
constexpr std::string_view gone_header = "sallyport-gone-offset";

http::Response lines_answer(Batch batch) {
    http::Response response;
    response.headers.set("Content-Type", "application/x-ndjson; charset=utf-8");
    response.headers.set("Cache-Control", "no-store");
    response.headers.set(next_header, std::to_string(batch.next));
    if (batch.gone) response.headers.set(gone_header, std::to_string(*batch.gone));
    response.body = std::move(batch.lines);
    return response;
}

http::Response stream_answer(const Call& call, const Start& start) {
    http::Response response;
    response.headers.set("Content-Type", "text/event-stream");
    response.headers.set("Cache-Control", "no-store");
    response.source = make_event_stream(call.services, call.here, start);
    return response;
}

/// Appends a batch at one go; `done` once all of it is durable, with the first failure where there is one.
void append_all(Telemetry& telemetry, const Sender& sender, std::vector<azure::Message> messages,
                std::chrono::sys_time<std::chrono::milliseconds> now,
                std::function<void(base::Status)> done) {
    if (messages.empty()) return done({});
    struct Gathering {
        std::mutex mutex;
        std::size_t left;
        base::Status outcome;
        std::function<void(base::Status)> done;
    };
    const auto batch = std::make_shared<Gathering>();
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
    const auto accept = call.request.headers.get("Accept").value_or("");
    const bool event_stream = accept.find("text/event-stream") != std::string_view::npos;
    const auto start = start_of(call, event_stream);
    if (!start) co_return call.refuse(start.error());
    if (event_stream) co_return stream_answer(call, *start);

    Waiters::Place place(call.here.messages, "events");
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(wait->value_or(0));
    for (;;) {
        auto batch = read_batch(call.services.telemetry, *start, most_octets, Form::lines);
        if (!batch) co_return call.refuse(store_refusal(batch.error()));
        const auto left = net::left_until(until);
        if (batch->lines.empty() && left.count() > 0 && !call.services.stopping) {
            co_await place.wait(left);
            continue;
        }
        co_return lines_answer(*std::move(batch));
    }
}

Answer post_event(Call& call) {
    Sender sender;
    if (call.caller.sender) {
        sender = *call.caller.sender;
    } else {
        // A policy with DeviceConnect speaks as any enabled identity, but not as one that is not there.
        sender.identity = call.identity();
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
    if (!stored) co_return call.refuse(store_refusal(stored.error()));
    co_return http::Response::empty(204);
}

}  // namespace hub
