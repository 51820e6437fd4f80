// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.hpp"
#include "trust/identity.hpp"

namespace gateway {

/// How far the log has been sent, as it is kept across restarts. Since each identity's messages are
/// acknowledged in order, one offset an identity says it exactly: everything below `next` is done, but for
/// the identities in `pending`, which are done up to their own offset.
struct Progress {
    std::uint64_t next = 0;
    std::unordered_map<trust::Identity, std::uint64_t> pending;
};

/// The bytes of the progress file, and back; `malformed` for anything else.
std::string to_text(const Progress& progress);
base::Result<Progress> parse_progress(std::string_view text);

/// What is on its way from the log to the hub: the unacknowledged offsets of each identity, in order. Pure.
class Outbox {
  public:
    explicit Outbox(Progress resumed) : resumed_(std::move(resumed)), next_(read_from()) {}

    /// Where reading the log begins.
    std::uint64_t read_from() const;
    /// A record was read, in order of offsets. False: it had been acknowledged in an earlier life.
    bool take(std::uint64_t offset, const trust::Identity& identity);
    /// A record was read that is not to be sent at all.
    void skip(std::uint64_t offset) { next_ = offset + 1; }
    /// The hub has acknowledged this one; it must be the identity's oldest (asserted).
    void acknowledged(const trust::Identity& identity, std::uint64_t offset);
    /// Gives up everything of the identity that was taken; how many that were.
    std::size_t forget(const trust::Identity& identity);

    /// Records below this offset are not needed any more.
    std::uint64_t keep_from() const;
    Progress progress() const;
    std::size_t waiting() const { return waiting_; }
    std::uint64_t next() const { return next_; }

  private:
    Progress resumed_;
    std::uint64_t next_;
    std::size_t waiting_ = 0;
    std::unordered_map<trust::Identity, std::deque<std::uint64_t>> open_;
};

}  // namespace gateway
