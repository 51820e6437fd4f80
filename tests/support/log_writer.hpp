// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>
#include <stdexcept>
#include <string>

#include "store/segment_log.hpp"

/// For tests that link `store`.
namespace support {

inline std::string text_of(const base::Bytes& bytes) {
    return std::string(base::as_text(bytes));
}

/// A log of so little in a segment that a few records fill several.
inline store::SegmentLog::Options small_segments(store::FileCalls calls = {}) {
    store::SegmentLog::Options options;
    options.segment_bytes = 200;
    options.calls = std::move(calls);
    return options;
}

inline std::unique_ptr<store::SegmentLog> open_log(const std::filesystem::path& directory,
                                                   store::SegmentLog::Options options = {}) {
    auto log = store::SegmentLog::open(directory, std::move(options));
    if (!log) throw std::runtime_error(log.error().text());
    return *std::move(log);
}

/// The offset of the record, once it is on disk.
inline base::Result<std::uint64_t> append_and_wait(store::SegmentLog& log, std::string_view text) {
    std::promise<base::Result<std::uint64_t>> done;
    const auto bytes = base::as_bytes(text);
    log.append(base::Bytes(bytes.begin(), bytes.end()),
               [&done](base::Result<std::uint64_t> result) { done.set_value(std::move(result)); });
    return done.get_future().get();
}

}  // namespace support
