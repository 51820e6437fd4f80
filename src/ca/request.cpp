// SPDX-License-Identifier: Apache-2.0
#include "ca/request.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/result.hpp"
#include "ca/admin.hpp"
#include "pki/signature.hpp"

namespace ca {
namespace {

namespace json = boost::json;
using Answer = base::Result<json::object>;

auto bad_request(std::string reason) {
    return base::fail(base::Code::invalid_argument, "request to the CA", std::move(reason));
}

std::string string_of(const json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value && value->is_string() ? std::string(value->get_string()) : std::string{};
}
bool flag_of(const json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value && value->is_bool() && value->get_bool();
}
std::vector<std::string> strings_of(const json::object& from, std::string_view key) {
    std::vector<std::string> all;
    const auto* value = from.if_contains(key);
    if (value && value->is_array())
        for (const auto& each : value->get_array())
            if (each.is_string()) all.emplace_back(each.get_string());
    return all;
}

base::Result<Order> read_order(const json::object& request, const Actor& actor) {
    const auto profile = pki::parse_profile(string_of(request, "profile"));
    if (!profile) return bad_request("names no profile");
    const auto spki = base::from_base64(string_of(request, "key"));
    if (!spki) return bad_request("has no key");
    SP_TRY(return, const auto key, pki::read_public_key(*spki, "key of the request"));
    Order order{.profile = *profile,
                .key = key,
                .common_name = string_of(request, "subject"),
                .names = strings_of(request, "names"),
                .client_auth = flag_of(request, "client_auth"),
                .actor = actor,
                .permitted = strings_of(request, "permitted"),
                .allow_short = true};
    if (const auto* length = request.if_contains("path_length"); length && length->is_int64())
        order.path_length = static_cast<int>(std::clamp<std::int64_t>(length->get_int64(), -1, 100));
    if (const auto* seconds = request.if_contains("seconds"); seconds && seconds->is_int64())
        order.lifetime = std::chrono::seconds{seconds->get_int64()};
    return order;
}

Answer perform_issue(Ledger& ledger, const json::object& request, const Actor& actor) {
    SP_TRY(return, const auto order, read_order(request, actor));
    SP_TRY(return, const auto chain, ledger.issue(order));
    json::array certificates;
    for (const auto& certificate : chain) certificates.emplace_back(base::to_base64(certificate.der()));
    return json::object{{"chain", std::move(certificates)}};
}

json::object told(const std::optional<Entry>& entry) {
    if (!entry) return {};
    return {{"subject", entry->subject},
            {"profile", pki::to_string(entry->profile)},
            {"device", entry->device},
            {"certificate", base::to_hex(entry->certificate)}};
}

Answer perform_revoke(Ledger& ledger, const json::object& request, const Actor& actor) {
    const auto serial = parse_serial(string_of(request, "serial"));
    const auto reason = parse_reason(string_of(request, "reason"));
    if (!serial) return bad_request("names no serial number");
    if (!reason) return bad_request("names no reason of RFC 5280");
    if (auto done = ledger.revoke(*serial, *reason, actor); !done) return std::unexpected(done.error());
    return told(ledger.find(*serial));
}

Answer perform_unrevoke(Ledger& ledger, const json::object& request, const Actor& actor) {
    const auto serial = parse_serial(string_of(request, "serial"));
    if (!serial) return bad_request("names no serial number");
    if (auto done = ledger.unrevoke(*serial, actor); !done) return std::unexpected(done.error());
    return told(ledger.find(*serial));
}

Answer perform_block(Ledger& ledger, const json::object& request, const Actor& actor) {
    const auto device = string_of(request, "device");
    const bool blocked = flag_of(request, "blocked");
    if (device.empty()) return bad_request("names no device");
    if (ledger.is_blocked(device) == blocked) return json::object{{"changed", false}};
    if (auto done = ledger.block(device, blocked, actor); !done) return std::unexpected(done.error());
    return json::object{{"changed", true}};
}

Answer perform_head(Ledger& ledger, const json::object&, const Actor&) {
    SP_TRY(return, const auto head, ledger.sign_head());
    return json::object{{"head", head}};
}

struct Verb {
    std::string_view name;
    Answer (*run)(Ledger&, const json::object&, const Actor&);
};
constexpr std::array<Verb, 5> verbs{{{"issue", perform_issue},
                                     {"revoke", perform_revoke},
                                     {"unrevoke", perform_unrevoke},
                                     {"block", perform_block},
                                     {"head", perform_head}}};

base::Code code_of(std::string_view word) {
    for (int code = 0; code <= static_cast<int>(base::Code::internal); ++code)
        if (base::to_string(static_cast<base::Code>(code)) == word) return static_cast<base::Code>(code);
    return base::Code::internal;
}

Answer parse_object(std::string_view text) {
    boost::system::error_code error;
    auto value = json::parse(json::string_view(text.data(), text.size()), error);
    if (error || !value.is_object()) return bad_request("is not a JSON object");
    return std::move(value.get_object());
}

}  // namespace

Answer perform(Ledger& ledger, const json::object& request, const Actor& actor) {
    const auto name = string_of(request, "do");
    for (const auto& verb : verbs)
        if (verb.name == name) return verb.run(ledger, request, actor);
    return bad_request(fmt::format("asks for \"{}\", which is not known", name));
}

std::string perform_text(Ledger& ledger, std::string_view request, const Actor& actor) {
    auto parsed = parse_object(request);
    auto answer = parsed ? perform(ledger, *parsed, actor) : std::move(parsed);
    if (answer) return json::serialize(json::object{{"ok", *std::move(answer)}});
    const auto& why = answer.error();
    return json::serialize(json::object{{"error",
                                         {{"code", base::to_string(why.code)},
                                          {"thing", why.thing},
                                          {"reason", why.reason},
                                          {"fix", why.fix}}}});
}

Answer read_answer(std::string_view text) {
    SP_TRY(return, auto answer, parse_object(text));
    if (auto* ok = answer.if_contains("ok"); ok && ok->is_object()) return std::move(ok->get_object());
    const auto* error = answer.if_contains("error");
    if (!error || !error->is_object())
        return base::fail(base::Code::malformed, "answer of the CA", "is not understood");
    const auto& why = error->get_object();
    return base::fail(code_of(string_of(why, "code")), string_of(why, "thing"), string_of(why, "reason"),
                      string_of(why, "fix"));
}

Actor command_actor() {
    return {.kind = Actor::Kind::command, .id = std::to_string(::getuid()), .peer = {}};
}

Answer with_books(const std::filesystem::path& data, const json::object& request) {
    const auto ledger = Ledger::open(data, base::system_clock());
    if (ledger) return perform(**ledger, request, command_actor());
    if (ledger.error().code != base::Code::address_in_use) return std::unexpected(ledger.error());
    auto answer = ask_running(data, request);
    // Whoever has the lock answers no commands: another command, which says more by its number. A socket may
    // be left over from a CA that was killed.
    if (!answer && answer.error().thing.starts_with("socket")) return std::unexpected(ledger.error());
    return answer;
}

}  // namespace ca
