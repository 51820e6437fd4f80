// SPDX-License-Identifier: Apache-2.0
#include "hub/telemetry.hpp"

#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

namespace hub {

azure::Event make_event(const Sender& sender, azure::Message message,
                        std::chrono::sys_time<std::chrono::milliseconds> enqueued) {
    azure::Event event;
    event.origin = sender.identity;
    event.message = std::move(message);
    auto& add = event.annotations;
    add.emplace_back("iothub-connection-device-id", sender.identity.device);
    if (sender.identity.is_module()) add.emplace_back("iothub-connection-module-id", sender.identity.module);
    add.emplace_back("iothub-connection-auth-method", sender.method);
    add.emplace_back("iothub-connection-auth-generation-id", sender.generation);
    add.emplace_back("iothub-enqueuedtime", base::format_rfc3339_ms(enqueued));
    add.emplace_back("iothub-message-source", "Telemetry");
    return event;
}

base::Result<std::unique_ptr<Telemetry>> Telemetry::open(const std::filesystem::path& directory) {
    SP_TRY(return, auto log, store::SegmentLog::open(directory));
    return std::unique_ptr<Telemetry>(new Telemetry(std::move(log)));
}

void Telemetry::append(const azure::Event& event, std::function<void(base::Result<std::uint64_t>)> done) {
    log_->append(azure::encode_event(event),
                 [this, done = std::move(done)](base::Result<std::uint64_t> stored) {
                     const bool disk = !stored && (stored.error().code == base::Code::disk_full ||
                                                   stored.error().code == base::Code::io);
                     if (stored) failing_ = false;
                     if (disk && !failing_.exchange(true))
                         base::log::error(base::events::store_failed, stored.error());
                     if (done) done(std::move(stored));
                 });
}

void Telemetry::on_durable(std::function<void()> observer) {
    log_->on_durable([observer = std::move(observer)](std::uint64_t) { observer(); });
}

base::Result<std::vector<Telemetry::Stored>> Telemetry::read(std::uint64_t from, std::size_t most,
                                                             std::size_t bytes) const {
    SP_TRY(return, const auto entries, log_->read(from, most, bytes));
    std::vector<Stored> events;
    events.reserve(entries.size());
    for (const auto& entry : entries) {
        SP_TRY(return, auto event, azure::decode_event(entry.record));
        events.push_back({entry.offset, std::move(event)});
    }
    return events;
}

}  // namespace hub
