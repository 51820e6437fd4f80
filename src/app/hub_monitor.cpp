// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "app/hub_client.hpp"
#include "azure/raw_json.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"

namespace app {

namespace {

namespace json = boost::json;
using azure::raw_member;
using azure::raw_members;
using azure::raw_object;
using azure::RawMembers;
using Steady = std::chrono::steady_clock;

/// How long one question is held at the hub.
constexpr std::chrono::seconds longest_wait{50};
constexpr std::chrono::seconds longest_pause{15};
constexpr std::string_view next_header = "sallyport-next-offset";
constexpr std::string_view gone_header = "sallyport-gone-offset";

struct MonitorOptions {
    HubLogin login;
    bool from_beginning = false;
    std::vector<std::string> properties;
    std::string device;
    std::string module;
    std::string consumer;
    int timeout = 0;
    std::uint64_t count = 0;
};

/// What one round has found out.
struct Round {
    std::vector<std::string> events;  ///< lines {"event": ..., "offset": n}
    std::string next;                 ///< where the next question goes on
    std::string gone;                 ///< what was asked for and is not kept any more; empty: nothing
};

base::Result<Round> ask(const HubClient& client, const MonitorOptions& options, const std::string& from,
                        std::chrono::seconds wait) {
    HubClient::Ask question;
    question.target = fmt::format("/messages/events?api-version=2021-04-12&wait={}", wait.count());
    if (!from.empty()) question.target += "&from=" + from;
    if (!options.consumer.empty()) question.target += "&consumer=" + base::percent_encode(options.consumer);
    question.limit = wait + std::chrono::seconds(30);
    SP_TRY(return, const auto answer, client.send(question));
    Round round;
    round.next = answer.headers.get(next_header).value_or(from);
    round.gone = answer.headers.get(gone_header).value_or("");
    for (const auto line : base::split(answer.body, '\n')) {
        if (line.empty()) continue;
        boost::system::error_code failed;
        const auto value = json::parse(line, failed);
        if (failed || !value.is_object()) {
            return base::fail(base::Code::unavailable, "answer of the hub",
                              "has a line that is no JSON object");
        }
        round.events.emplace_back(line);
    }
    return round;
}

/// Tells the hub where the consumer of that name goes on.
base::Status store_offset(const HubClient& client, const MonitorOptions& options, const std::string& next) {
    HubClient::Ask question;
    question.verb = http::Verb::post;
    question.target =
        path_of({"messages", "events", "consumers", options.consumer}) + "?api-version=2021-04-12";
    question.body = fmt::format("{{\"offset\":{}}}", next);
    SP_TRY(return, const auto answer, client.send(question));
    (void)answer;
    return {};
}

bool wants(const MonitorOptions& options, std::string_view kind) {
    return std::ranges::any_of(options.properties,
                               [&](const auto& asked) { return asked == "all" || asked == kind; });
}

std::string text_of(std::string_view raw) {
    boost::system::error_code failed;
    const auto value = json::parse(raw, failed);
    return !failed && value.is_string() ? std::string(value.get_string()) : std::string();
}

bool is_wanted(const MonitorOptions& options, const RawMembers& event) {
    if (!options.device.empty() && text_of(raw_member(event, "origin")) != options.device) return false;
    return options.module.empty() || text_of(raw_member(event, "module")) == options.module;
}

/// The event without what was not asked for: of the properties, all but the wanted kinds.
std::string trimmed(const MonitorOptions& options, const RawMembers& event) {
    RawMembers out;
    std::string properties;
    for (const auto& [name, value] : event) {
        if (name != "properties") {
            out.emplace_back(name, value);
            continue;
        }
        const auto members = raw_members(value);
        if (!members) continue;
        RawMembers kept;
        for (const auto& member : *members) {
            if (wants(options, member.first == "system"        ? "sys"
                               : member.first == "annotations" ? "anno"
                                                               : "app"))
                kept.push_back(member);
        }
        if (kept.empty()) continue;
        properties = raw_object(kept);
        out.emplace_back(name, properties);
    }
    return raw_object(out);
}

std::string line_for_people(const RawMembers& event, const std::string& shown) {
    const auto module = text_of(raw_member(event, "module"));
    std::string line = text_of(raw_member(event, "origin")) + (module.empty() ? "" : "/" + module) + "  " +
                       std::string(raw_member(event, "payload"));
    const auto members = raw_members(shown);
    if (members && !raw_member(*members, "properties").empty())
        line += "  " + std::string(raw_member(*members, "properties"));
    return line;
}

/// Prints one event and tells whether it counted.
bool print(const MonitorOptions& options, const std::optional<RawMembers>& members) {
    const auto event = members ? raw_members(raw_member(*members, "event")) : std::nullopt;
    if (!event || !is_wanted(options, *event)) return false;
    const auto shown = trimmed(options, *event);
    if (options.login.json())
        fmt::print("{{\"event\": {}}}\n", shown);
    else
        fmt::print("{}\n", line_for_people(*event, shown));
    std::fflush(stdout);
    return true;
}

/// A hub that went away may come back: the monitor goes on where it was.
bool may_return(const base::Error& error) {
    return error.code == base::Code::unavailable || error.code == base::Code::timeout ||
           error.code == base::Code::closed || error.code == base::Code::io ||
           error.code == base::Code::rate_limited;
}

/// Prints what a round has brought, at most until `shown` reaches the wanted count; the offset behind the
/// last that was looked at.
std::string print_round(const MonitorOptions& options, const Round& round, std::uint64_t& shown) {
    if (!round.gone.empty())
        fmt::print(stderr,
                   "messages from offset {} on are not kept any more; going on at the first that is\n",
                   round.gone);
    for (const auto& record : round.events) {
        const auto members = raw_members(record);
        if (!print(options, members)) continue;
        if (++shown != options.count) continue;
        return std::to_string(
            std::strtoull(std::string(raw_member(*members, "offset")).c_str(), nullptr, 10) + 1);
    }
    return round.next;
}

Exit watch(const MonitorOptions& options) {
    const auto client = HubClient::make(options.login);
    if (!client) return report_hub(client.error());
    // The first question only finds out where we stand, so that "monitoring" is true when it is said. Without
    // a start of its own a consumer goes on where it was.
    const std::string start = options.from_beginning ? "beginning" : options.consumer.empty() ? "now" : "";
    auto first = ask(*client, options, start, std::chrono::seconds(0));
    if (!first) return report_hub(first.error());
    fmt::print(stderr, "monitoring {}, Ctrl-C ends it\n", client->host());
    auto round = *std::move(first);
    std::uint64_t shown = 0;
    std::string stored;
    int failures = 0;
    auto last_event = Steady::now();
    const auto pause_after = [&](const base::Error& error) {
        if (failures++ == 0) fmt::print(stderr, "{}; trying again\n", error.text());
        std::this_thread::sleep_for(std::min(longest_pause, std::chrono::seconds(failures)));
    };
    for (;;) {
        const auto before = shown;
        const auto next = print_round(options, round, shown);
        if (shown != before) last_event = Steady::now();
        const bool complete = options.count != 0 && shown == options.count;
        if (!options.consumer.empty() && next != stored) {
            // What could not be noted is noted with the next round, or is shown again: nothing is lost.
            const auto noted = store_offset(*client, options, next);
            if (!noted && (complete || !may_return(noted.error()))) return report_hub(noted.error());
            if (noted) stored = next;
        }
        if (complete) return Exit::done;
        auto wait = longest_wait;
        if (options.timeout > 0) {
            const auto left = std::chrono::seconds(options.timeout) - (Steady::now() - last_event);
            if (left <= Steady::duration::zero()) return options.count == 0 ? Exit::done : Exit::no;
            wait = std::min(wait, std::chrono::ceil<std::chrono::seconds>(left));
        }
        auto answer =
            ask(*client, options, round.next, round.events.empty() ? wait : std::chrono::seconds(0));
        if (answer) {
            failures = 0;
            round = *std::move(answer);
            continue;
        }
        if (!may_return(answer.error())) return report_hub(answer.error());
        round.events.clear();
        round.gone.clear();
        pause_after(answer.error());
    }
}

}  // namespace

void add_hub_monitor(CLI::App& hub, Run& run) {
    auto options = std::make_shared<MonitorOptions>();
    auto* command =
        hub.add_subcommand("monitor", "what devices send, as it arrives")->alias("monitor-events");
    add_login_options(*command, options->login);
    command->add_flag("--from-beginning", options->from_beginning,
                      "everything that is kept, then what arrives");
    command
        ->add_option("--properties,--props", options->properties, "also show properties: all, sys, anno, app")
        ->check(CLI::IsMember({"all", "sys", "anno", "app"}));
    command->add_option("--device-id,-d", options->device, "only what this device sends");
    command->add_option("--module-id,-m", options->module, "only what this module sends");
    command->add_option("--consumer,--consumer-group,--cg", options->consumer,
                        "name of a reader whose place the hub keeps: go on behind what it was shown last");
    command
        ->add_option("--timeout,-t", options->timeout,
                     "end after so many seconds without a message (0: never)")
        ->check(CLI::Range(0, 86400));
    command->add_option("--count", options->count, "end after so many messages");
    command->callback([options, &run] { run = [options] { return watch(*options); }; });
}

}  // namespace app
