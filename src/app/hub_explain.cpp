// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <memory>
#include <utility>

#include "app/hub_client.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"
#include "hub/explanations.hpp"
#include "hub/tracking.hpp"

namespace app {

namespace {

namespace json = boost::json;

struct ExplainOptions {
    HubLogin login;
    std::string tracking;
    std::string device;
    std::filesystem::path data;
    std::size_t top = 10;
};

using Documents = hub::Explanations::Documents;

/// From the file, for a hub that does not run or whose keys are not at hand.
Documents read_file(const ExplainOptions& options, const std::string& key) {
    const auto file = options.data / "explanations.db";
    auto found = key.empty() ? hub::Explanations::newest_in(file, options.device, options.top)
                             : hub::Explanations::find_in(file, key);
    // That there is no such file does not say that there was no such refusal.
    if (!found) found.error().code = base::Code::io;
    return found;
}

Documents ask_hub(const ExplainOptions& options, const std::string& key) {
    SP_TRY(return, const auto client, HubClient::make(options.login));
    HubClient::Ask question;
    question.target = "/explain?api-version=2021-04-12&deviceId=" + base::percent_encode(options.device) +
                      "&top=" + std::to_string(options.top);
    if (!key.empty()) question.target = path_of({"explain", key}) + "?api-version=2021-04-12";
    SP_TRY(return, const auto answer, client.send(question));
    SP_TRY(return, const auto value, parse_answer(answer));
    std::vector<std::string> documents;
    if (const auto* list = value.if_array()) {
        for (const auto& one : *list) documents.push_back(json::serialize(one));
    } else {
        documents.push_back(json::serialize(value));
    }
    return documents;
}

std::string_view text_of(const json::object& document, std::string_view name) {
    const auto* member = document.if_contains(name);
    if (member == nullptr || !member->is_string()) return {};
    return {member->get_string().data(), member->get_string().size()};
}

pki::Outcome outcome_of(std::string_view word) {
    for (const auto outcome : {pki::Outcome::passed, pki::Outcome::warned, pki::Outcome::skipped})
        if (word == pki::to_string(outcome)) return outcome;
    return pki::Outcome::failed;
}

/// Borrows from the document.
pki::Verdict verdict_of(const json::object& document) {
    pki::Verdict verdict;
    const auto* member = document.if_contains("steps");
    const auto* steps = member == nullptr ? nullptr : member->if_array();
    if (steps == nullptr) return verdict;
    for (const auto& one : *steps) {
        const auto* step = one.if_object();
        if (step == nullptr) continue;
        const auto* link = step->if_contains("link");
        verdict.steps.push_back(
            {text_of(*step, "check"),
             link != nullptr && link->is_int64() ? static_cast<int>(link->get_int64()) : -1,
             outcome_of(text_of(*step, "outcome")), std::string(text_of(*step, "expected")),
             std::string(text_of(*step, "found"))});
    }
    return verdict;
}

void print_line(std::string_view name, std::string_view value) {
    if (!value.empty()) fmt::print("{:<9} {}\n", name, value);
}

void print(const json::object& document) {
    print_line("tracking", text_of(document, "trackingId"));
    print_line("request", fmt::format("{} over {}, answered {}", text_of(document, "request"),
                                      text_of(document, "protocol"), text_of(document, "answer")));
    print_line("time", text_of(document, "timestampUtc"));
    print_line("address", text_of(document, "address"));
    const auto module = text_of(document, "moduleId");
    print_line("identity",
               fmt::format("{}{}{}", text_of(document, "deviceId"), module.empty() ? "" : "/", module));
    print_line("caller", text_of(document, "caller"));
    print_line("reason", text_of(document, "reason"));
    if (const auto verdict = verdict_of(document); !verdict.steps.empty()) {
        const bool coloured = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
        const auto steps = coloured ? pki::to_coloured_text(verdict) : pki::to_text(verdict);
        fmt::print("steps\n{}{}", steps, steps.ends_with('\n') ? "" : "\n");
    }
    print_line("fix", text_of(document, "fix"));
}

base::Status show(const ExplainOptions& options) {
    std::string key;
    if (!options.tracking.empty()) {
        const auto parsed = hub::tracking_key(options.tracking);
        if (!parsed) {
            return base::fail(base::Code::usage, "tracking id " + options.tracking, "holds no 32 hex digits",
                              "paste it as the error or the log has it, in quotes where it has blanks");
        }
        key = *parsed;
    } else if (options.device.empty()) {
        return base::fail(base::Code::usage, "tracking id", "is missing",
                          "give one, or --device-id for the last refusals of a device");
    }
    SP_TRY(return, const auto documents,
                 options.data.empty() ? ask_hub(options, key) : read_file(options, key));
    if (documents.empty()) {
        const auto thing = key.empty() ? "device " + options.device : "tracking id " + key;
        return base::fail(base::Code::not_found, thing, "is not in what is kept of refusals",
                          "they are kept for a limited time and number: [explain] in hub.toml");
    }
    for (const auto& text : documents) {
        boost::system::error_code failed;
        const auto value = json::parse(text, failed);
        if (failed || !value.is_object())
            return base::fail(base::Code::unavailable, "explanation", "is no JSON object");
        if (options.login.json())
            fmt::print("{}\n", text);
        else
            print(value.get_object());
        if (!options.login.json() && documents.size() > 1) fmt::print("\n");
    }
    return {};
}

}  // namespace

void add_hub_explain(CLI::App& hub, Run& run) {
    auto options = std::make_shared<ExplainOptions>();
    auto* command = hub.add_subcommand("explain", "why the hub has refused somebody, step by step");
    add_login_options(*command, options->login);
    command->add_option("tracking-id", options->tracking,
                        "as an error of the hub or its log has it, with or without -G: and -TimeStamp:");
    command->add_option("--device-id,-d", options->device, "the last refusals of this device instead");
    command->add_option("--top", options->top, "at most so many of them (default 10)")
        ->check(CLI::Range(1, 100));
    command->add_option("--data", options->data,
                        "directory of the hub: read its file, also while it does not run");
    on_run(*command, run, options, &show);
}

}  // namespace app
