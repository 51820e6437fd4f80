// SPDX-License-Identifier: Apache-2.0
#include "hub/telemetry.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

namespace hub {

namespace {

/// Retention works in parts of so many to the whole.
constexpr int parts = 8;
constexpr std::size_t smallest_segment = 256 * 1024;
constexpr std::string_view enqueued_time = "iothub-enqueuedtime";

}  // namespace

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
    add.emplace_back(enqueued_time, base::format_rfc3339_ms(enqueued));
    add.emplace_back("iothub-message-source", "Telemetry");
    return event;
}

std::uint64_t keep_by_size(std::span<const store::SegmentLog::SegmentSize> segments, std::uint64_t bytes) {
    std::uint64_t kept = 0;
    std::uint64_t keep = 0;
    for (auto at = segments.rbegin(); at != segments.rend(); ++at) {
        kept += at->bytes;
        if (kept > bytes && at != segments.rbegin()) return keep;
        keep = at->first;
    }
    return keep;
}

base::Result<std::unique_ptr<Telemetry>> Telemetry::open(const std::filesystem::path& directory,
                                                         const Retention& retention) {
    store::SegmentLog::Options options;
    // What is dropped at once is a small part of what is kept.
    if (retention.bytes > 0)
        options.segment_bytes =
            std::clamp<std::size_t>(retention.bytes / parts, smallest_segment, options.segment_bytes);
    SP_TRY(return, auto log, store::SegmentLog::open(directory, std::move(options)));
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

base::Result<std::optional<base::Instant>> Telemetry::time_of(std::uint64_t offset) const {
    SP_TRY(return, const auto found, read(offset, 1, 1));
    if (found.empty() || found.front().offset != offset) return std::nullopt;
    for (const auto& [name, value] : found.front().event.annotations) {
        if (name != enqueued_time || !value) continue;
        SP_TRY(return, const auto when, base::parse_rfc3339(*value));
        return when;
    }
    return std::nullopt;
}

base::Status Telemetry::end_old_segment(const Retention& retention, base::Instant now) {
    const auto segments = log_->segments();
    if (segments.empty()) return {};
    SP_TRY(return, const auto begun, time_of(segments.back().first));
    const auto part = std::min<std::chrono::seconds>(retention.age / parts, std::chrono::days(1));
    if (!begun || *begun > now - part) return {};
    std::promise<base::Status> ended;
    log_->end_segment([&](base::Status status) { ended.set_value(std::move(status)); });
    return ended.get_future().get();
}

base::Result<std::uint64_t> Telemetry::expire(const Retention& retention, base::Instant now) {
    const auto before = first();
    auto keep = before;
    if (retention.age.count() > 0) {
        if (auto ended = end_old_segment(retention, now); !ended) return std::unexpected(ended.error());
        const auto segments = log_->segments();
        for (std::size_t i = 1; i < segments.size(); ++i) {
            SP_TRY(return, const auto last, time_of(segments[i].first - 1));
            if (last && *last >= now - retention.age) break;
            keep = segments[i].first;
        }
    }
    if (retention.bytes > 0) keep = std::max(keep, keep_by_size(log_->segments(), retention.bytes));
    if (auto removed = log_->remove_before(keep); !removed) return std::unexpected(removed.error());
    return first() - before;
}

}  // namespace hub
