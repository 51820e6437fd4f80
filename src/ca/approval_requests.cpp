// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/result.hpp"
#include "ca/admin.hpp"

namespace ca {
namespace {

namespace json = boost::json;

constexpr std::chrono::days longest_permit{30};
constexpr std::int64_t most_permitted = 1000;

auto bad_approval(std::string reason) {
    return base::fail(base::Code::invalid_argument, "request to the CA", std::move(reason));
}

std::string member_text(const json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value && value->is_string() ? std::string(value->get_string()) : std::string{};
}
std::int64_t member_number(const json::object& from, std::string_view key) {
    const auto* value = from.if_contains(key);
    return value && value->is_int64() ? value->get_int64() : 0;
}

base::Result<json::object> show_pending(const Books& books) {
    SP_TRY(return, const auto pending, books.approvals.pending(books.clock.now()));
    json::array all;
    for (const auto& one : pending)
        all.push_back(json::object{{"id", one.id},
                                   {"caller", one.question.caller},
                                   {"label", one.question.label},
                                   {"profile", one.question.profile},
                                   {"subject", one.question.subject},
                                   {"names", json::value_from(one.question.names)},
                                   {"key_sha256", base::to_hex(one.question.spki)},
                                   {"count", one.count},
                                   {"asked_at", base::format_rfc3339(one.asked_at)}});
    return json::object{{"pending", std::move(all)}};
}

void write_decision(const Books& books, const Actor& actor, std::string_view kind,
                    const Approvals::Question& question, std::string detail) {
    books.ledger.write({.kind = std::string(kind),
                        .actor = actor,
                        .label = question.label,
                        .profile = question.profile,
                        .reason = {},
                        .serial = {},
                        .subject = question.subject,
                        .detail = std::move(detail)});
}

base::Result<json::object> decide_pending(const Books& books, const json::object& request,
                                          const Actor& actor) {
    const auto* deny_member = request.if_contains("deny");
    const bool deny = deny_member && *deny_member == true;
    SP_TRY(
        return, const auto question,
              books.approvals.decide(member_number(request, "id"), !deny, actor.text(), books.clock.now()));
    write_decision(books, actor, deny ? "deny" : "approve", question, question.caller);
    return json::object{{"subject", question.subject}, {"caller", question.caller}};
}

base::Result<json::object> permit_ahead(const Books& books, const json::object& request, const Actor& actor) {
    const std::chrono::seconds life{member_number(request, "seconds")};
    const auto count = member_number(request, "count");
    if (life <= std::chrono::seconds{0} || life > longest_permit)
        return bad_approval("permits for no duration up to 30 days");
    if (count < 1 || count > most_permitted) return bad_approval("permits no number from 1 to 1000");
    const Approvals::Permit permit{member_text(request, "caller"), member_text(request, "label"),
                                   member_text(request, "subject"), static_cast<int>(count),
                                   books.clock.now() + life};
    if (permit.caller.empty() || permit.subject.empty() || !books.ledger.config().est.label(permit.label))
        return bad_approval("names no caller, subject or label of this CA");
    if (auto done = books.approvals.permit(permit); !done) return std::unexpected(done.error());
    Approvals::Question about;
    about.label = permit.label;
    about.subject = permit.subject;
    write_decision(
        books, actor, "approve", about,
        fmt::format("{} issuances to {} until {}", count, permit.caller, base::format_rfc3339(permit.end)));
    return json::object{};
}

}  // namespace

base::Result<json::object> perform_approval(const Books& books, const json::object& request,
                                            const Actor& actor) {
    const auto verb = member_text(request, "do");
    if (verb == "pending") return show_pending(books);
    if (verb == "decide") return decide_pending(books, request, actor);
    if (verb == "permit") return permit_ahead(books, request, actor);
    return bad_approval(fmt::format("asks for \"{}\", which is not known", verb));
}

}  // namespace ca
