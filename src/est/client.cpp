// SPDX-License-Identifier: Apache-2.0
#include "est/client.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "http/client.hpp"

namespace est {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Kind = Failure::Kind;

constexpr std::size_t longest_words = 200;

milliseconds time_left(steady_clock::time_point end) {
    return std::max(std::chrono::ceil<milliseconds>(end - steady_clock::now()), milliseconds(0));
}

std::string thing_of(const Server& server) {
    return "EST server " + server.url.text();
}

/// The first line of an answer in plain text, for a person: what is not printable ASCII becomes a dot.
std::string words_of(const http::Response& answer) {
    const auto type = answer.headers.get("Content-Type").value_or("");
    if (!base::to_lower(type).starts_with("text/plain")) return {};
    auto line = answer.body.substr(0, std::min(answer.body.find_first_of("\r\n"), longest_words));
    for (auto& c : line)
        if (c < ' ' || c > '~') c = '.';
    return line;
}

std::string fix_of(int status, const Server& server) {
    switch (status) {
        case 301:
        case 302:
        case 307:
        case 308:
            return "write the URL that it should be into config.toml";
        case 401:
            return "compare username and password, or the certificate, with what the server knows";
        case 403:
            return "see the server's log for the rule, and what its policy lets this caller have";
        case 404:
            return server.url.path.find("/.well-known/est") == std::string::npos
                       ? "the URL is used as it stands: write " + server.url.origin() +
                             "/.well-known/est/LABEL"
                       : "see that the server has this label";
        default:
            return {};
    }
}

/// What a status other than 200 means (est-and-pki.md 1.14).
Failure failure_of(const http::Response& answer, const Server& server, base::Instant now) {
    const auto words = words_of(answer);
    auto reason = fmt::format("answered {} {}", answer.status, http::reason_phrase(answer.status));
    if (!words.empty()) reason += ": " + words;
    Failure out{Kind::refused,
                {base::Code::permission_denied, thing_of(server), reason, fix_of(answer.status, server)}};
    out.answered = true;
    if (answer.status == 202) {
        out.kind = Kind::pending;
        out.why.code = base::Code::rate_limited;
        out.why.reason = "has the request and waits for an operator" + (words.empty() ? "" : ": " + words);
        out.why.fix = "approve it at the server: sallyport ca approve";
    } else if (answer.status == 429 || answer.status == 503) {
        out.kind = Kind::busy;
        out.why.code = base::Code::rate_limited;
    } else if (answer.status >= 500) {
        out.kind = Kind::unreachable;
        out.why.code = base::Code::unavailable;
        out.why.fix = "see the server's log";
    } else if (answer.status < 300) {
        out.why.reason += ", which is not an answer of EST";
    }
    if (out.kind == Kind::pending || out.kind == Kind::busy)
        out.wait = retry_after(answer.headers.get("Retry-After"), now);
    return out;
}

Failure failure_of(base::Error why, const Server& server) {
    // What came and cannot be read is no matter of the way.
    const bool answered = why.code == base::Code::malformed || why.code == base::Code::too_large;
    why.reason = why.thing + " " + why.reason;
    why.thing = thing_of(server);
    if (why.fix.empty() && !answered) why.fix = "see that it runs and can be reached from here";
    return {answered ? Kind::rejected : Kind::unreachable, std::move(why)};
}

Failure rejected(base::Error why, const Server& server) {
    why.thing = thing_of(server) + ": " + why.thing;
    return {Kind::rejected, std::move(why)};
}

/// The connection of one exchange, opened again where the server ends it between two requests.
class Exchange {
  public:
    Exchange(const Server& server, http::Endpoint endpoint, const base::Clock& clock, Deadlines deadlines)
        : server_(server),
          endpoint_(std::move(endpoint)),
          clock_(clock),
          deadlines_(deadlines),
          end_(steady_clock::now() + deadlines.whole) {}

    net::Task<Outcome<http::Response>> ask(http::Request request) {
        for (bool again = false;; again = true) {
            const bool fresh = !connection_ || !connection_->is_reusable();
            if (fresh) {
                connection_.reset();
                const auto limit = std::min(deadlines_.connect, time_left(end_));
                auto opened = co_await http::Connection::open(endpoint_, limit, clock_);
                if (!opened) co_return std::unexpected(failure_of(std::move(opened).error(), server_));
                connection_.emplace(*std::move(opened));
            }
            auto answered = co_await connection_->ask(request, time_left(end_));
            if (answered) co_return *std::move(answered);
            // An idle connection that ended before the first octet of an answer was never heard.
            if (!fresh && !again && connection_->was_silent()) continue;
            co_return std::unexpected(failure_of(std::move(answered).error(), server_));
        }
    }

  private:
    const Server& server_;
    http::Endpoint endpoint_;
    const base::Clock& clock_;
    Deadlines deadlines_;
    steady_clock::time_point end_;
    std::optional<http::Connection> connection_;
};

base::Result<http::Endpoint> endpoint_of(const Server& server, Caller& caller) {
    net::ClientTls::Options options;
    options.trust = server.trust;
    options.policy = pki::Policy::strict;
    options.chain = std::move(caller.chain);
    options.key = std::move(caller.key);
    SP_TRY(return, auto tls, net::ClientTls::make(std::move(options)));
    return http::TlsEndpoint{{server.url.host, server.url.port, server.url.host}, std::move(tls)};
}

std::string authorization_of(const Caller& caller) {
    if (caller.user.empty()) return {};
    auto pair = caller.user + ":" + std::string(caller.password ? caller.password->text() : "");
    auto encoded = "Basic " + base::to_base64(base::as_bytes(pair));
    base::wipe(pair.data(), pair.size());
    return encoded;
}

http::Request request_for(const Server& server, std::string_view operation, const std::string& credential) {
    http::Request request;
    request.raw_target = fmt::format("{}/{}", server.url.path, operation);
    if (!credential.empty()) request.headers.set("Authorization", credential);
    return request;
}

/// Where a GET is sent on to within the same origin; empty: nowhere.
std::string redirected_to(const http::Response& answer, const Server& server) {
    if (answer.status != 301 && answer.status != 302 && answer.status != 307 && answer.status != 308)
        return {};
    auto location = std::string(answer.headers.get("Location").value_or(""));
    const auto origin = server.url.origin();
    if (location.starts_with(origin + "/")) location.erase(0, origin.size());
    return location.starts_with('/') && !location.starts_with("//") ? location : "";
}

net::Task<Outcome<pki::Chain>> ask_authorities(Exchange& exchange, const Server& server,
                                               std::string credential, const base::Clock& clock) {
    auto request = request_for(server, "cacerts", credential);
    auto answered = co_await exchange.ask(request);
    if (!answered) co_return std::unexpected(std::move(answered).error());
    if (auto elsewhere = redirected_to(*answered, server); !elsewhere.empty()) {
        request.raw_target = std::move(elsewhere);
        answered = co_await exchange.ask(request);
        if (!answered) co_return std::unexpected(std::move(answered).error());
    }
    if (answered->status != 200) co_return std::unexpected(failure_of(*answered, server, clock.now()));
    auto certificates = read_certificates(*answered);
    if (!certificates) co_return std::unexpected(rejected(std::move(certificates).error(), server));
    co_return *std::move(certificates);
}

}  // namespace

net::Task<Outcome<pki::Chain>> authorities(Server server, Caller caller, const base::Clock& clock,
                                           Deadlines deadlines) {
    auto credential = authorization_of(caller);
    auto endpoint = endpoint_of(server, caller);
    if (!endpoint) co_return std::unexpected(failure_of(std::move(endpoint).error(), server));
    Exchange exchange(server, *std::move(endpoint), clock, deadlines);
    auto found = co_await ask_authorities(exchange, server, std::move(credential), clock);
    co_return found;
}

net::Task<Outcome<Issued>> enroll(Server server, Caller caller, Operation operation, base::Bytes request,
                                  Wanted wanted, const base::Clock& clock, Deadlines deadlines) {
    auto credential = authorization_of(caller);
    auto endpoint = endpoint_of(server, caller);
    if (!endpoint) co_return std::unexpected(failure_of(std::move(endpoint).error(), server));
    Exchange exchange(server, *std::move(endpoint), clock, deadlines);
    auto above = co_await ask_authorities(exchange, server, credential, clock);
    // Without them the answer itself, or an anchor above the leaf, may do; a server that is not there will
    // not.
    if (!above && (above.error().kind == Kind::unreachable || above.error().kind == Kind::busy))
        co_return std::unexpected(std::move(above).error());
    auto post = request_for(server, to_string(operation), credential);
    post.verb = http::Verb::post;
    post.headers.set("Content-Type", "application/pkcs10");
    post.headers.set("Content-Transfer-Encoding", "base64");
    post.body = write_body(request);
    auto answered = co_await exchange.ask(std::move(post));
    if (!answered) co_return std::unexpected(std::move(answered).error());
    if (answered->status != 200) co_return std::unexpected(failure_of(*answered, server, clock.now()));
    auto certificates = read_certificates(*answered);
    if (!certificates) co_return std::unexpected(rejected(std::move(certificates).error(), server));
    const auto candidates = above ? *std::move(above) : pki::Chain();
    auto issued = check_issued(*certificates, candidates, wanted, *server.trust, clock.now());
    if (!issued) co_return std::unexpected(rejected(std::move(issued).error(), server));
    co_return *std::move(issued);
}

}  // namespace est
