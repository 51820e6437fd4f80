// SPDX-License-Identifier: Apache-2.0
#include "http/reader.hpp"

#include <optional>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/encoding.hpp"

namespace http {

namespace {

namespace beast = boost::beast::http;
using beast::error;

template <class Parser>
Progress advance(Parser& parser, std::string& buffer, std::size_t header_limit,
                 boost::system::error_code& failed) {
    std::size_t taken = 0;
    auto progress = Progress::need_more;
    while (taken < buffer.size()) {
        const bool head_before = parser.is_header_done();
        const std::size_t count =
            parser.put(boost::asio::buffer(buffer.data() + taken, buffer.size() - taken), failed);
        taken += count;
        if (failed == error::need_more) {
            failed = {};
            break;
        }
        if (failed) {
            progress = Progress::refused;
            break;
        }
        if (parser.is_done()) {
            progress = Progress::done;
            break;
        }
        if (!head_before && parser.is_header_done()) {
            progress = Progress::head;
            break;
        }
        if (count == 0) break;
    }
    buffer.erase(0, taken);
    // Between chunks nothing bounds a chunk's header or the trailer but this.
    if (progress == Progress::need_more && buffer.size() > header_limit) {
        failed = error::header_limit;
        progress = Progress::refused;
    }
    return progress;
}

Refusal refusal_of(const boost::system::error_code& failed) {
    if (failed == error::header_limit) return {431, "the header is larger than this server accepts"};
    if (failed == error::body_limit) return {413, "the body is larger than this server accepts"};
    return {400, "the message is malformed: " + failed.message()};
}

Verb verb_of(beast::verb verb) {
    switch (verb) {
        case beast::verb::get:
            return Verb::get;
        case beast::verb::head:
            return Verb::head;
        case beast::verb::post:
            return Verb::post;
        case beast::verb::put:
            return Verb::put;
        case beast::verb::patch:
            return Verb::patch;
        case beast::verb::delete_:
            return Verb::delete_;
        case beast::verb::options:
            return Verb::options;
        default:
            return Verb::other;
    }
}

Headers headers_of(const beast::fields& fields) {
    Headers headers;
    for (const auto& field : fields)
        headers.add(std::string(field.name_string()), std::string(field.value()));
    return headers;
}

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// RFC 9112 section 3.2.2: a server accepts the absolute form too.
std::string_view without_authority(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!base::equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
        const auto path = target.find('/', scheme.size());
        return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
    }
    return target;
}

}  // namespace

struct RequestReader::Impl {
    beast::request_parser<beast::string_body> parser;
    std::size_t header_limit;
    Host host;
    Refusal refusal;
    Request request;          // the head, as it was before any trailer
    std::size_t scanned = 0;  // bytes of the head already looked at for bare line feeds

    /// Beast waits for an empty line that never comes where lines end in LF alone; we say so at once.
    bool has_bare_line_feed(const std::string& head) {
        for (; scanned < head.size(); ++scanned) {
            if (head[scanned] != '\n') continue;
            if (scanned == 0 || head[scanned - 1] != '\r') return true;
            if (scanned >= 3 && head.compare(scanned - 3, 4, "\r\n\r\n") == 0) return false;
        }
        return false;
    }

    /// What the grammar allows and we do not.
    bool judge_head() {
        const auto& message = parser.get();
        const auto coding = message.find(beast::field::transfer_encoding);
        if (coding != message.end()) {
            const bool chunked =
                base::equal_ignoring_case(base::trim(std::string_view(coding->value())), "chunked");
            if (!chunked || message.count(beast::field::transfer_encoding) > 1 || message.version() < 11) {
                return refuse(400, "Transfer-Encoding is something else than one \"chunked\" in HTTP/1.1");
            }
            if (message.count(beast::field::content_length) > 0) {
                return refuse(400, "Content-Length and Transfer-Encoding contradict each other");
            }
        }
        const auto length = message.find(beast::field::content_length);
        if (length != message.end() && (message.count(beast::field::content_length) > 1 ||
                                        !is_number(std::string_view(length->value())))) {
            return refuse(400, "Content-Length is something else than one number");
        }
        if (message.count(beast::field::host) > 1) return refuse(400, "Host is given more than once");
        if (host == Host::required && message.version() >= 11 && message.count(beast::field::host) == 0) {
            return refuse(400, "Host is missing");
        }
        const auto expect = message.find(beast::field::expect);
        if (expect != message.end() &&
            !base::equal_ignoring_case(std::string_view(expect->value()), "100-continue")) {
            return refuse(417, "only the expectation 100-continue is known");
        }
        return keep_head();
    }

    bool keep_head() {
        const auto& message = parser.get();
        request.verb = verb_of(message.method());
        request.raw_target = std::string(message.target());
        auto target = Target::parse(without_authority(request.raw_target));
        if (!target) return refuse(400, "the target is not a path, or has a bad percent escape");
        request.target = std::move(*target);
        request.headers = headers_of(message);
        return true;
    }

    bool refuse(int status, std::string reason) {
        refusal = {status, std::move(reason)};
        return false;
    }
};

RequestReader::RequestReader(std::size_t header_limit, std::size_t body_limit, Host host)
    : impl_(std::make_unique<Impl>()) {
    impl_->header_limit = header_limit;
    impl_->host = host;
    impl_->parser.header_limit(static_cast<std::uint32_t>(header_limit));
    impl_->parser.body_limit(body_limit);
}

RequestReader::~RequestReader() = default;

Progress RequestReader::feed(std::string& buffer) {
    // RFC 9112 section 2.2: an empty line before a request is ignored.
    if (!impl_->parser.got_some()) {
        while (buffer.starts_with("\r\n")) buffer.erase(0, 2);
        if (buffer.empty() || buffer == "\r") return Progress::need_more;
    }
    const bool head_before = impl_->parser.is_header_done();
    if (!head_before && impl_->has_bare_line_feed(buffer)) {
        impl_->refuse(400, "the message is malformed: a line of the header does not end in CRLF");
        return Progress::refused;
    }
    boost::system::error_code failed;
    auto progress = advance(impl_->parser, buffer, impl_->header_limit, failed);
    if (progress == Progress::refused) impl_->refusal = refusal_of(failed);
    if (!head_before && impl_->parser.is_header_done() && progress != Progress::refused) {
        if (!impl_->judge_head()) return Progress::refused;
        impl_->parser.eager(true);
    }
    return progress;
}

const Refusal& RequestReader::refusal() const {
    return impl_->refusal;
}

bool RequestReader::expects_continue() const {
    return impl_->request.headers.get("Expect").has_value() && !version_1_0();
}

bool RequestReader::keep_alive() const {
    return impl_->parser.keep_alive();
}
bool RequestReader::version_1_0() const {
    return impl_->parser.get().version() < 11;
}

Request RequestReader::take() {
    impl_->request.body = std::move(impl_->parser.get().body());
    return std::move(impl_->request);
}

struct ResponseReader::Impl {
    std::optional<beast::response_parser<beast::string_body>> parser;
    std::size_t header_limit;
    std::size_t body_limit;
    Body body;
    Refusal refusal;

    void restart() {
        parser.emplace();
        parser->header_limit(static_cast<std::uint32_t>(header_limit));
        parser->body_limit(body_limit);
        if (body == Body::none) parser->skip(true);
    }
    bool interim() const { return parser->is_header_done() && parser->get().result_int() / 100 == 1; }
};

ResponseReader::ResponseReader(std::size_t header_limit, std::size_t body_limit, Body body)
    : impl_(std::make_unique<Impl>()) {
    impl_->header_limit = header_limit;
    impl_->body_limit = body_limit;
    impl_->body = body;
    impl_->restart();
}

ResponseReader::~ResponseReader() = default;

Progress ResponseReader::feed(std::string& buffer) {
    for (;;) {
        boost::system::error_code failed;
        auto progress = advance(*impl_->parser, buffer, impl_->header_limit, failed);
        if (progress == Progress::refused) impl_->refusal = refusal_of(failed);
        const bool complete = progress == Progress::done || progress == Progress::head;
        if (complete && impl_->interim()) {
            impl_->restart();
            continue;
        }
        if (progress == Progress::head) impl_->parser->eager(true);
        return progress;
    }
}

Progress ResponseReader::end() {
    // Beast asserts that an end comes after something.
    if (!impl_->parser->got_some()) {
        impl_->refusal = {400, "the connection was closed without an answer"};
        return Progress::refused;
    }
    boost::system::error_code failed;
    impl_->parser->put_eof(failed);
    if (!failed && impl_->parser->is_done()) return Progress::done;
    impl_->refusal = {400, "the answer ended before it was complete"};
    return Progress::refused;
}

const Refusal& ResponseReader::refusal() const {
    return impl_->refusal;
}

Response ResponseReader::take() {
    auto& message = impl_->parser->get();
    return {.status = static_cast<int>(message.result_int()),
            .headers = headers_of(message),
            .body = std::move(message.body())};
}

}  // namespace http
