// SPDX-License-Identifier: Apache-2.0
#include "ca/admin.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "base/log.hpp"
#include "base/result.hpp"
#include "ca/events.hpp"
#include "ca/layout.hpp"
#include "ca/request.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "net/loop.hpp"

namespace ca {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds admin_limit{60};
constexpr std::size_t largest_command = 1024 * 1024;

http::Response json_answer(std::string text) {
    return http::Response::json(200, std::move(text));
}

std::string error_text(const base::Error& why) {
    return json::serialize(json::object{{"error",
                                         {{"code", base::to_string(why.code)},
                                          {"thing", why.thing},
                                          {"reason", why.reason},
                                          {"fix", why.fix}}}});
}

bool may_administer(const net::Peer& peer) {
    return peer.user && (*peer.user == 0 || *peer.user == ::geteuid());
}

std::string answer_command(const Books& books, std::string_view text, const Actor& actor) {
    boost::system::error_code failed;
    const auto parsed = json::parse(json::string_view(text.data(), text.size()), failed);
    const auto* object = failed ? nullptr : parsed.if_object();
    const auto* verb = object ? object->if_contains("do") : nullptr;
    if (!verb || (*verb != "pending" && *verb != "decide" && *verb != "permit"))
        return perform_text(books.ledger, text, actor);
    const auto answer = perform_approval(books, *object, actor);
    return answer ? json::serialize(json::object{{"ok", *answer}}) : error_text(answer.error());
}

net::Task<http::Response> answer_admin(Books books, http::Request request, const net::Peer& peer) {
    if (!may_administer(peer)) {
        const auto user = peer.user ? std::to_string(*peer.user) : "unknown";
        base::log::warning(events::admin_refused, {{"uid", user}});
        co_return json_answer(
            error_text({base::Code::permission_denied, "admin socket",
                        "is for root and the user whom the CA runs as", "run the command as one of them"}));
    }
    const Actor actor{.kind = Actor::Kind::command, .id = std::to_string(*peer.user), .peer = {}};
    co_return json_answer(answer_command(books, request.body, actor));
}

}  // namespace

net::Serve serve_admin(Books books) {
    http::Handler handler = [books](http::Request request, const net::Peer& peer) {
        return answer_admin(books, std::move(request), peer);
    };
    const auto refuse = [](int status, std::string_view reason) {
        return http::Response::json(
            status, error_text({base::Code::malformed, "request to the CA", std::string(reason), {}}));
    };
    return http::serve(std::move(handler), refuse, {.body = largest_command});
}

base::Result<json::object> ask_running(const std::filesystem::path& data, const json::object& request) {
    http::Request message;
    message.verb = http::Verb::post;
    message.raw_target = "/command";
    message.headers.add("Content-Type", "application/json");
    message.body = json::serialize(request);
    auto asking = http::request(http::UnixEndpoint{admin_socket_file(data).string()}, std::move(message),
                                admin_limit, base::system_clock());
    SP_TRY(return, const auto answer, net::run_task_for(std::move(asking)));
    return read_answer(answer.body);
}

base::Result<json::object> with_approvals(const std::filesystem::path& data, const json::object& request) {
    const auto& clock = base::system_clock();
    const auto ledger = Ledger::open(data, clock);
    if (ledger) {
        SP_TRY(return, const auto approvals, Approvals::open(approvals_file(data)));
        return perform_approval({**ledger, *approvals, clock}, request, command_actor());
    }
    if (ledger.error().code != base::Code::address_in_use) return std::unexpected(ledger.error());
    return ask_running(data, request);
}

}  // namespace ca
