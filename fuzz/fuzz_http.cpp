// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "http/reader.hpp"
#include "http/writer.hpp"

namespace {

struct Outcome {
    http::Progress progress = http::Progress::need_more;
    int status = 0;
    std::optional<http::Request> request;
};

Outcome read(std::string_view bytes, std::size_t piece) {
    http::RequestReader reader(1024, 1024, http::RequestReader::Host::optional);
    std::string buffer;
    Outcome outcome;
    while (outcome.progress == http::Progress::need_more || outcome.progress == http::Progress::head) {
        if (bytes.empty() && outcome.progress == http::Progress::need_more) break;
        buffer += bytes.substr(0, piece);
        bytes.remove_prefix(std::min(piece, bytes.size()));
        outcome.progress = reader.feed(buffer);
        if (outcome.progress == http::Progress::head && bytes.empty()) {
            outcome.progress = reader.feed(buffer);
            break;
        }
    }
    if (outcome.progress == http::Progress::refused) outcome.status = reader.refusal().status;
    if (outcome.progress == http::Progress::done) outcome.request = reader.take();
    return outcome;
}

void expect(bool true_here) {
    if (!true_here) std::abort();
}

}  // namespace

/// A request means the same however it is cut into pieces, and what was read can be written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const Outcome whole = read(bytes, bytes.size() + 1);
    const Outcome pieces = read(bytes, 3);
    if (whole.request && pieces.request) {
        expect(whole.request->raw_target == pieces.request->raw_target);
        expect(whole.request->body == pieces.request->body);
    }
    if (whole.request && whole.request->verb != http::Verb::other) {
        const Outcome again = read(http::write_request(*whole.request, "hub"), 4096);
        if (again.request) {
            expect(again.request->raw_target == whole.request->raw_target);
            expect(again.request->body == whole.request->body);
        }
    }
    http::ResponseReader answers(1024, 1024, http::ResponseReader::Body::as_framed);
    std::string buffer(bytes);
    auto progress = answers.feed(buffer);
    if (progress == http::Progress::head) progress = answers.feed(buffer);
    if (progress == http::Progress::need_more) progress = answers.end();
    if (progress == http::Progress::done) {
        const auto response = answers.take();
        http::write_response(response, {});
    }
    http::Target::parse(bytes);
    return 0;
}
