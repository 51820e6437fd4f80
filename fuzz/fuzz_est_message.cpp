// SPDX-License-Identifier: Apache-2.0
#include <span>

#include "est/message.hpp"

// What is read from a body is written back and read again as the same bytes; a path that is read names a
// label and an operation that make the same path again; anything else is an error with a reason.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto bytes = est::read_body(text);
    if (bytes) {
        const auto again = est::read_body(est::write_body(*bytes, size % 2 == 0 ? "libest" : ""));
        if (!again || *again != *bytes) __builtin_trap();
    } else if (bytes.error().reason.empty()) {
        __builtin_trap();
    }
    const auto path = est::read_path(text);
    if (path) {
        const auto label = path->label.empty() ? std::string() : path->label + "/";
        const auto again =
            est::read_path("/.well-known/est/" + label + std::string(est::to_string(path->operation)));
        if (!again || again->label != path->label || again->operation != path->operation) __builtin_trap();
    } else if (path.error().reason.empty()) {
        __builtin_trap();
    }
    return 0;
}
