// SPDX-License-Identifier: Apache-2.0
#include "gateway/outbox.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cassert>

namespace gateway {

namespace {

namespace json = boost::json;

constexpr int progress_version = 1;

}  // namespace

std::string to_text(const Progress& progress) {
    json::object pending;
    for (const auto& [identity, offset] : progress.pending) pending[identity.text()] = offset;
    return json::serialize(json::object{
        {"version", progress_version}, {"next", progress.next}, {"pending", std::move(pending)}});
}

base::Result<Progress> parse_progress(std::string_view text) {
    const auto bad = [] { return base::fail(base::Code::malformed, "progress file", "cannot be read"); };
    boost::system::error_code wrong;
    const auto document = json::parse(text, wrong);
    if (wrong || !document.is_object()) return bad();
    const auto& object = document.as_object();
    const auto* version = object.if_contains("version");
    const auto* next = object.if_contains("next");
    const auto* pending = object.if_contains("pending");
    if (!version || *version != progress_version || !next || !pending || !pending->is_object()) return bad();
    Progress progress;
    progress.next = next->to_number<std::uint64_t>(wrong);
    if (wrong) return bad();
    for (const auto& [id, offset] : pending->as_object()) {
        progress.pending[trust::Identity::of(id)] = offset.to_number<std::uint64_t>(wrong);
        if (wrong) return bad();
    }
    return progress;
}

std::uint64_t Outbox::read_from() const {
    std::uint64_t from = resumed_.next;
    for (const auto& [identity, offset] : resumed_.pending) from = std::min(from, offset);
    return from;
}

bool Outbox::take(std::uint64_t offset, const trust::Identity& identity) {
    next_ = offset + 1;
    if (offset < resumed_.next) {
        const auto behind = resumed_.pending.find(identity);
        if (behind == resumed_.pending.end() || offset < behind->second) return false;
    }
    open_[identity].push_back(offset);
    ++waiting_;
    return true;
}

void Outbox::acknowledged(const trust::Identity& identity, std::uint64_t offset) {
    const auto at = open_.find(identity);
    assert(at != open_.end() && at->second.front() == offset);
    if (at == open_.end() || at->second.front() != offset) return;
    at->second.pop_front();
    --waiting_;
    if (at->second.empty()) open_.erase(at);
}

std::size_t Outbox::forget(const trust::Identity& identity) {
    const auto at = open_.find(identity);
    if (at == open_.end()) return 0;
    const auto count = at->second.size();
    waiting_ -= count;
    open_.erase(at);
    return count;
}

std::uint64_t Outbox::keep_from() const {
    std::uint64_t from = next_;
    for (const auto& [identity, offsets] : open_) from = std::min(from, offsets.front());
    return from;
}

// While what an earlier life left is still being read, that life's end stays the mark: behind next_ its
// identities that were done are known to be done only by it.
Progress Outbox::progress() const {
    Progress now;
    now.next = std::max(next_, resumed_.next);
    if (next_ < resumed_.next) {
        for (const auto& [identity, offset] : resumed_.pending)
            now.pending[identity] = std::max(offset, next_);
    }
    for (const auto& [identity, offsets] : open_) now.pending[identity] = offsets.front();
    return now;
}

}  // namespace gateway
