// SPDX-License-Identifier: Apache-2.0
#include "edge/local_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <map>
#include <utility>

#include "base/encoding.hpp"
#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/secret.hpp"

namespace edge {
namespace {

bool has_json_type(const http::Request& request) {
    const auto type = request.headers.get("content-type");
    if (!type) return true;
    return base::equal_ignoring_case(base::trim(type->substr(0, type->find(';'))), "application/json");
}

// The ids where the path has the route's form; nullopt where it has not.
std::optional<std::vector<std::string>> match(std::string_view pattern,
                                              const std::vector<std::string>& segments) {
    const auto wanted = base::split(pattern.substr(1), '/');
    if (wanted.size() != segments.size()) return std::nullopt;
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i].starts_with('{')) {
            if (segments[i].empty()) return std::nullopt;
            ids.push_back(segments[i]);
        } else if (wanted[i] != segments[i]) {
            return std::nullopt;
        }
    }
    return ids;
}

bool is_known(http::Verb verb) {
    return verb == http::Verb::post || verb == http::Verb::put || verb == http::Verb::delete_;
}

// The body of the request, parsed by the rules of edge-runtime.md 0.2; an http::Response where they say no.
std::expected<json::value, http::Response> read_body(const http::Request& request, Body need) {
    if (!is_known(request.verb)) return json::value(nullptr);
    const bool json_type = has_json_type(request);
    if (request.verb == http::Verb::put) {
        if (!json_type) return std::unexpected(error_response(415, "request body must be application/json"));
    } else if (request.body.empty() || !json_type) {
        if (need == Body::required) return std::unexpected(error_response(400, "missing request body"));
        return json::value(nullptr);
    }
    auto parsed = parse_json(request.body, "request body");
    if (!parsed) return std::unexpected(error_response(422, parsed.error().text()));
    return *std::move(parsed);
}

// Who it was, for a person: a process id alone says nothing once the process has ended.
std::string name_of(pid_t process) {
    const auto comm = base::read_file(fmt::format("/proc/{}/comm", process), "process", 64);
    return comm ? std::string(base::trim(*comm)) : "unknown";
}

void log_refusal(const std::string& service, std::string_view path, const Caller& caller, int status,
                 const base::Error& why) {
    if (status == 401 || status == 403) {
        base::log::write(base::log::Level::warning, base::events::caller_refused, why,
                         {{"service", service},
                          {"path", std::string(path)},
                          {"status", std::to_string(status)},
                          {"user", caller.user ? std::to_string(*caller.user) : "unknown"},
                          {"process", caller.process ? std::to_string(*caller.process) : "unknown"},
                          {"program", caller.process ? name_of(*caller.process) : "unknown"}});
        return;
    }
    // Who is too early asks again and again; why it waits has been said.
    base::log::write(status >= 500 && status != 503 ? base::log::Level::warning : base::log::Level::debug,
                     base::events::request_refused, why,
                     {{"service", service}, {"path", std::string(path)}, {"status", std::to_string(status)}});
}

// How many connections of one user are open (edge-runtime.md 0.4). One that has had its answer and waits for
// its next request is told apart: it costs nothing, and the services keep one each.
class Quota {
  public:
    explicit Quota(std::size_t most) : most_(most) {}
    bool has_place(uid_t user) const {
        const auto found = users_.find(user);
        return found == users_.end() || (found->second.busy < most_ && found->second.waiting < most_waiting);
    }
    std::size_t most() const { return most_; }
    void open(uid_t user, const net::Peer* who) { enter(user, who, State::busy); }
    void begin(uid_t user, const net::Peer* who) {
        leave(user, who);
        enter(user, who, State::busy);
    }
    void end(uid_t user, const net::Peer* who) {
        leave(user, who);
        enter(user, who, State::waiting);
    }
    void leave(uid_t user, const net::Peer* who) {
        auto& counts = users_[user];
        --(states_[who] == State::busy ? counts.busy : counts.waiting);
        states_.erase(who);
        if (counts.busy + counts.waiting == 0) users_.erase(user);
    }

  private:
    enum class State { busy, waiting };
    struct Counts {
        std::size_t busy = 0;
        std::size_t waiting = 0;
    };
    static constexpr std::size_t most_waiting = 64;
    void enter(uid_t user, const net::Peer* who, State state) {
        ++(state == State::busy ? users_[user].busy : users_[user].waiting);
        states_[who] = state;
    }
    std::size_t most_;
    std::map<uid_t, Counts> users_;
    std::map<const net::Peer*, State> states_;
};

uid_t user_of(const net::Peer& peer) {
    return peer.user.value_or(static_cast<uid_t>(-1));
}

net::Task<http::Response> answer_for(const LocalApi* api, std::shared_ptr<Quota> quota, http::Request request,
                                     const net::Peer* peer) {
    const uid_t user = user_of(*peer);
    quota->begin(user, peer);
    auto response = co_await api->answer(std::move(request), Caller{peer->user, peer->process});
    quota->end(user, peer);
    co_return response;
}

net::Task<> serve_within(std::shared_ptr<Quota> quota, net::Serve serve, net::Stream stream) {
    const auto* peer = &stream.peer();
    const uid_t user = user_of(*peer);
    if (!quota->has_place(user)) {
        base::log::warning(base::events::connection_refused,
                           {{"path", peer->local_path},
                            {"user", std::to_string(user)},
                            {"reason", fmt::format("has {} connections open already", quota->most())}});
        co_return;
    }
    struct Taken {
        Quota& quota;
        uid_t user;
        const net::Peer* peer;
        Taken(Quota& q, uid_t u, const net::Peer* p) : quota(q), user(u), peer(p) { quota.open(user, peer); }
        ~Taken() { quota.leave(user, peer); }
    };
    const Taken taken(*quota, user, peer);
    co_await serve(std::move(stream));
}

}  // namespace

net::Task<Answer> ready(Answer answer) {
    co_return answer;
}

http::Response ok(const json::value& body, int status) {
    return http::Response::json(status, json::serialize(body));
}

http::Response no_content() {
    return http::Response::empty(204);
}

std::unexpected<base::Error> bad_parameter(std::string_view name, std::string cause) {
    return base::fail(base::Code::invalid_argument,
                      fmt::format("parameter \"{}\" has an invalid value", name), std::move(cause));
}

std::unexpected<base::Error> absent_id() {
    return base::fail(base::Code::not_found, "parameter \"id\" has an invalid value", "not found");
}

int status_of_store(base::Code code) {
    switch (code) {
        case base::Code::invalid_argument:
        case base::Code::not_found:
            return 400;
        case base::Code::unauthenticated:
            return 401;
        case base::Code::malformed:
            return 422;
        default:
            return 500;
    }
}

http::Response error_response(int status, std::string_view message) {
    return http::Response::json(status, json::serialize(json::value{{"message", message}}));
}

std::string error_message(const base::Error& error, int status) {
    // The original hides the cause of a 500 in a log; ours tells it, since no Error holds a secret (13.3).
    if (status >= 500 && status != 503) return fmt::format("internal error\ncaused by: {}", error.text());
    if (error.thing.starts_with("parameter \"") && !error.reason.empty())
        return fmt::format("{}\ncaused by: {}{}{}", error.thing, error.reason, error.fix.empty() ? "" : ": ",
                           error.fix);
    return error.text();
}

LocalApi::LocalApi(std::string service, std::vector<std::string> versions, std::vector<Route> routes,
                   StatusOf status_of)
    : service_(std::move(service)),
      versions_(std::move(versions)),
      routes_(std::move(routes)),
      status_of_(status_of) {}

net::Task<http::Response> LocalApi::answer(http::Request request, Caller caller) const {
    const auto version = request.target.value("api-version");
    if (!version) co_return error_response(400, "api-version not specified");
    if (std::ranges::find(versions_, *version) == versions_.end())
        co_return error_response(400, fmt::format("invalid api-version \"{}\"", *version));
    const Route* chosen = nullptr;
    bool path_known = false;
    std::vector<std::string> ids;
    for (const auto& route : routes_) {
        if (*version < route.since) continue;
        auto found = match(route.path, request.target.segments);
        if (!found) continue;
        path_known = true;
        if (route.verb != request.verb) continue;
        chosen = &route;
        ids = *std::move(found);
        break;
    }
    if (!path_known) co_return error_response(404, "not found");
    if (!chosen) co_return error_response(400, "method not allowed");
    auto body = read_body(request, chosen->body);
    // From here on what was sent is in memory that is wiped; it may be a key.
    base::wipe(request.body.data(), request.body.size());
    if (!body) co_return std::move(body).error();
    Call call{caller, std::move(ids), std::move(request.target), *std::move(body)};
    const auto answered = co_await chosen->serve(std::move(call));
    if (answered) co_return *answered;
    const int status = status_of_(answered.error().code);
    log_refusal(service_, chosen->path, caller, status, answered.error());
    co_return error_response(status, error_message(answered.error(), status));
}

net::Serve serve_local(const LocalApi& api, std::size_t most, Keep keep) {
    http::Limits limits;
    limits.body_deadline = std::chrono::seconds(5);
    limits.close_after_answer = keep == Keep::closed;
    auto quota = std::make_shared<Quota>(most);
    auto serve = http::serve(
        [&api, quota](http::Request request, const net::Peer& peer) {
            return answer_for(&api, quota, std::move(request), &peer);
        },
        [](int status, std::string_view reason) { return error_response(status, reason); }, limits);
    return [quota, serve](net::Stream stream) { return serve_within(quota, serve, std::move(stream)); };
}

}  // namespace edge
