// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <boost/json.hpp>
#include <iostream>
#include <memory>

#include "app/ca.hpp"
#include "base/duration.hpp"
#include "base/result.hpp"
#include "ca/admin.hpp"
#include "ca/password.hpp"

namespace app {
namespace {

struct ApproveOptions {
    std::string data, caller, label, subject, life = "1d", output = "table";
    long long id = 0, count = 1;
    bool deny = false, list = false;
};

std::string member(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (!value) return {};
    return value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
}

base::Status list_pending(const ApproveOptions& options) {
    SP_TRY(return, const auto answer, ca::with_approvals(options.data, {{"do", "pending"}}));
    const auto* pending = answer.if_contains("pending");
    if (!pending || !pending->is_array()) return ca_usage("answer of the CA", "is not understood");
    if (options.output == "json") {
        fmt::print("{}\n", boost::json::serialize(*pending));
        return {};
    }
    fmt::print("{:>4}  {:<20}  {:<24}  {:<12}  {:>4}  {}\n", "ID", "SINCE", "CALLER", "LABEL", "KEYS",
               "SUBJECT");
    for (const auto& each : pending->get_array()) {
        const auto& one = each.as_object();
        fmt::print("{:>4}  {:<20}  {:<24}  {:<12}  {:>4}  {}\n", member(one, "id"), member(one, "asked_at"),
                   member(one, "caller"), member(one, "label"), member(one, "count"), member(one, "subject"));
    }
    return {};
}

base::Status run_approve(const ApproveOptions& options) {
    const bool ahead = !options.caller.empty() || !options.label.empty() || !options.subject.empty();
    if (options.list) return list_pending(options);
    if (ahead == (options.id != 0))
        return ca_usage("ca approve", ahead ? "takes an ID or --caller, not both" : "needs an ID",
                        "give the ID that --list shows, or --caller, --label and --subject for what comes");
    if (!ahead) {
        SP_TRY(return, const auto answer,
                     ca::with_approvals(options.data,
                                        {{"do", "decide"}, {"id", options.id}, {"deny", options.deny}}));
        fmt::print(stderr, "sallyport: {} {} for {}; it is told when it asks again\n",
                   options.deny ? "denied" : "approved", member(answer, "subject"), member(answer, "caller"));
        return {};
    }
    if (options.deny) return ca_usage("--deny", "is for an ID", "leave it out");
    if (options.caller.empty() || options.label.empty() || options.subject.empty())
        return ca_usage("ca approve", "needs --caller, --label and --subject together",
                        "ca approve --list shows how they are written");
    const auto life = base::parse_duration(options.life);
    if (!life) return ca_usage("--for " + options.life, "is no duration", "write 1d or 12h");
    SP_TRY(return, const auto answer,
                 ca::with_approvals(options.data, {{"do", "permit"},
                                                   {"caller", options.caller},
                                                   {"label", options.label},
                                                   {"subject", options.subject},
                                                   {"count", options.count},
                                                   {"seconds", life->count()}}));
    return {};
}

struct HashOptions {};

base::Status run_hash(const HashOptions&) {
    std::string password;
    std::getline(std::cin, password);
    const auto hash = ca::hash_password(password);
    base::wipe(password.data(), password.size());
    if (!hash) return std::unexpected(hash.error());
    fmt::print("{}\n", *hash);
    return {};
}

}  // namespace

void add_ca_approve(CLI::App& ca, Run& run) {
    const auto options = std::make_shared<ApproveOptions>();
    auto* command = ca.add_subcommand("approve", "Decide about requests that wait for an operator");
    command->add_option("--data", options->data, "Data directory of the CA")->required();
    command->add_option("ID", options->id, "The request, as --list shows it");
    command->add_flag("--list", options->list, "Show what waits");
    command->add_flag("--deny", options->deny, "Refuse it for a day");
    command->add_option("--caller", options->caller,
                        "Approve what comes: who asks, as --list shows it (bootstrap:dev1)");
    command->add_option("--label", options->label, "At which label");
    command->add_option("--subject", options->subject, "For which subject (CN=dev1)");
    command->add_option("--count", options->count, "How many certificates, under any key")
        ->check(CLI::Range(1LL, 1000LL))
        ->capture_default_str();
    command->add_option("--for", options->life, "Until how long from now")->capture_default_str();
    command->add_option("--output", options->output, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
    command->callback([&run, options] { run = ca_runner(options, run_approve); });

    const auto hashing = std::make_shared<HashOptions>();
    auto* hash = ca.add_subcommand("hash-password",
                                   "Read a password from standard input and print its hash for ca.toml");
    hash->callback([&run, hashing] { run = ca_runner(hashing, run_hash); });
}

}  // namespace app
