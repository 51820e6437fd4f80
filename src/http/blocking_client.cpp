// SPDX-License-Identifier: Apache-2.0
#include "http/blocking_client.hpp"

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "http/reader.hpp"
#include "http/writer.hpp"

namespace http {
base::Result<Response> BlockingClient::ask_once(const std::string& bytes, bool& silent) {
    silent = true;
    if (auto written = stream_->write_all(base::as_bytes(bytes)); !written)
        return std::unexpected(written.error());
    constexpr std::size_t header_limit = 64 * 1024, body_limit = 1024 * 1024, read_size = 4096;
    ResponseReader reader(header_limit, body_limit, ResponseReader::Body::as_framed);
    std::string buffer;
    for (;;) {
        const std::size_t before = buffer.size();
        buffer.resize(before + read_size);
        const auto got = stream_->read_some(std::as_writable_bytes(std::span(buffer).subspan(before)));
        buffer.resize(before + got.value_or(0));
        if (!got) {
            silent = silent && got.error().code != base::Code::timeout;
            return std::unexpected(got.error());
        }
        silent = false;
        auto progress = reader.feed(buffer);
        while (progress == Progress::head && !buffer.empty()) progress = reader.feed(buffer);
        if (progress == Progress::done) return reader.take();
        if (progress == Progress::refused)
            return base::fail(base::Code::malformed, "socket " + path_,
                              "gave an answer that cannot be read: " + reader.refusal().reason);
    }
}

base::Result<Response> BlockingClient::ask(const Request& request) {
    const auto bytes = write_request(request, "localhost", true);
    bool kept = stream_.has_value();
    for (;;) {
        if (!stream_) {
            SP_TRY(return, auto connected, net::BlockingStream::connect(path_, limit_));
            stream_.emplace(std::move(connected));
        }
        bool silent = false;
        auto answered = ask_once(bytes, silent);
        if (!answered || answered->headers.get("connection") == "close") stream_.reset();
        if (answered || !silent || !kept) return answered;
        kept = false;
    }
}

}  // namespace http
