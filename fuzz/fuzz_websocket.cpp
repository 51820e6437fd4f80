// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "http/websocket.hpp"

namespace {

struct Outcome {
    base::Bytes carried;
    base::Bytes answer;
    bool fine = true;
    base::Code code{};
};

Outcome read(std::span<const std::byte> bytes, std::size_t piece) {
    http::WebSocketFraming framing;
    Outcome outcome;
    while (!bytes.empty() && outcome.fine) {
        const auto part = bytes.first(std::min(piece, bytes.size()));
        bytes = bytes.subspan(part.size());
        const auto status = framing.unwrap(part, outcome.carried, outcome.answer);
        outcome.fine = status.has_value();
        if (!status) outcome.code = status.error().code;
    }
    return outcome;
}

}  // namespace

/// Frames mean the same however they are cut into pieces, never grow, and every end has its Close.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const Outcome whole = read(bytes, size + 1);
    const Outcome pieces = read(bytes, 1);
    const bool same = whole.carried == pieces.carried && whole.answer == pieces.answer &&
                      whole.fine == pieces.fine && whole.code == pieces.code;
    if (!same) std::abort();
    if (whole.carried.size() + whole.answer.size() > size + 4) std::abort();
    if (!whole.fine && whole.answer.size() < 2) std::abort();
    return 0;
}
