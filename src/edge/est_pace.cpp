// SPDX-License-Identifier: Apache-2.0
#include "edge/est_pace.hpp"

#include <fmt/format.h>

#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "edge/kept_files.hpp"
#include "pki/digest.hpp"

namespace edge {
namespace {

using Kind = est::Failure::Kind;

// The longest that a server may ask for, and a tenth more.
constexpr std::chrono::hours longest_hold{27};

double any_share() {
    const auto octets = pki::random_bytes(2);
    return ((std::to_integer<unsigned>(octets[0]) << 8) | std::to_integer<unsigned>(octets[1])) / 65536.0;
}

base::log::Level level_of(Kind kind) {
    switch (kind) {
        case Kind::pending:
            return base::log::Level::info;
        case Kind::refused:
        case Kind::rejected:
            return base::log::Level::error;
        default:
            return base::log::Level::warning;
    }
}

}  // namespace

EstPace::EstPace(std::filesystem::path directory, const base::Clock& clock)
    : directory_(std::move(directory)), clock_(clock) {
    for (auto& record : read_est_records(directory_))
        if (!record.request.empty()) by_id_[record.id] = std::move(record);
}

// A clock that was set back holds nothing for longer than anybody asked for.
bool EstPace::is_early(base::Instant next) const {
    const auto now = clock_.now();
    return now < next && next <= now + longest_hold;
}

base::Error EstPace::told(const base::Error& why, base::Instant next) const {
    return {base::Code::rate_limited, why.thing,
            fmt::format("{}; it is not asked again before {}", why.reason, base::format_rfc3339(next)),
            why.fix};
}

base::Status EstPace::allowed(const std::string& id, const std::string& origin) const {
    if (const auto server = by_origin_.find(origin);
        server != by_origin_.end() && is_early(server->second.next))
        return std::unexpected(told(server->second.why, server->second.next));
    if (const auto record = by_id_.find(id); record != by_id_.end() && is_early(record->second.next))
        return std::unexpected(told(record->second.why, record->second.next));
    return {};
}

const std::string& EstPace::pending(const std::string& id) const {
    static const std::string none;
    const auto record = by_id_.find(id);
    return record == by_id_.end() ? none : record->second.request;
}

std::optional<std::string> EstPace::reason(const std::string& id) const {
    for (const auto& each : {id, id + "-temp"})
        if (const auto record = by_id_.find(each); record != by_id_.end())
            return fmt::format("{} {}", record->second.why.thing, record->second.why.reason);
    return std::nullopt;
}

base::Error EstPace::failed(const std::string& id, const std::string& url, const std::string& origin,
                            const std::string& request, const est::Failure& failure) {
    const auto now = clock_.now();
    auto& record = by_id_[id];
    record.failures = record.kind == failure.kind ? record.failures + 1 : 1;
    record.id = id;
    record.url = url;
    record.kind = failure.kind;
    record.why = failure.why;
    record.last = now;
    int failures = record.failures;
    const bool whole_server = failure.kind == Kind::unreachable && !failure.answered;
    if (whole_server) failures = ++by_origin_[origin].failures;
    record.next = now + est::pause_after(failure, failures, any_share());
    if (failure.kind == Kind::pending) record.request = request;
    // What an operator has been shown stays what is asked for, also while the server is away.
    if (failure.kind == Kind::refused || failure.kind == Kind::rejected) record.request.clear();
    if (whole_server) by_origin_[origin] = {failures, record.next, failure.why};
    base::log::write(level_of(failure.kind),
                     failure.kind == Kind::rejected  ? base::events::est_answer_rejected
                     : failure.kind == Kind::pending ? base::events::est_pending
                                                     : base::events::est_failed,
                     failure.why,
                     {{"id", id},
                      {"kind", std::string(est::to_string(failure.kind))},
                      {"attempt", std::to_string(failures)},
                      {"next_attempt", base::format_rfc3339(record.next)}});
    auto kept = base::make_private_directories(directory_);
    if (kept) kept = write_est_record(directory_, record);
    if (!kept) base::log::write(base::log::Level::warning, base::events::certificate_not_kept, kept.error());
    return told(failure.why, record.next);
}

void EstPace::succeeded(const std::string& id, const std::string& origin) {
    by_origin_.erase(origin);
    if (by_id_.erase(id) == 0 && !std::filesystem::exists(directory_)) return;
    if (const auto removed = remove_est_record(directory_, id); !removed)
        base::log::write(base::log::Level::warning, base::events::certificate_not_kept, removed.error());
}

}  // namespace edge
