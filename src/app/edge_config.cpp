// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <memory>

#include "app/edge.hpp"
#include "base/clock.hpp"
#include "edge/config_apply.hpp"

namespace app {
namespace {

namespace json = boost::json;

struct ConfigOptions {
    std::string root = "/";
    std::string file;
    bool dry_run = false;
    std::string output = "text";
};

std::string_view word_of(edge::TakeOver::By by) {
    switch (by) {
        case edge::TakeOver::By::edge_run:
            return "edge run";
        case edge::TakeOver::By::systemd:
            return "systemd";
        case edge::TakeOver::By::nobody:
            return "nobody";
    }
    return "nobody";
}

std::vector<std::string> words_of(const std::vector<edge::Service>& services) {
    std::vector<std::string> words;
    for (const auto service : services) words.emplace_back(edge::to_string(service));
    return words;
}

json::array errors_of(const std::vector<base::Error>& errors) {
    json::array out;
    for (const auto& each : errors)
        out.push_back(json::object{{"thing", each.thing}, {"reason", each.reason}, {"fix", each.fix}});
    return out;
}

json::value text_or_null(const std::optional<std::string>& text) {
    return text ? json::value(*text) : json::value(nullptr);
}

void print_applied(const edge::Applied& applied) {
    json::array differences;
    for (const auto& each : applied.differences)
        differences.push_back(json::object{{"service", edge::to_string(each.service)},
                                           {"key", each.key},
                                           {"before", text_or_null(each.before)},
                                           {"after", text_or_null(each.after)}});
    if (applied.device_key_differs)
        differences.push_back(json::object{
            {"service", "keys"}, {"key", "device key"}, {"before", nullptr}, {"after", "(hidden)"}});
    json::array restarted, notices;
    for (const auto& word : words_of(applied.take_over.restarted)) restarted.emplace_back(word);
    for (const auto& notice : applied.notices) notices.emplace_back(notice);
    const json::object out{
        {"valid", applied.is_good()},
        {"problems", errors_of(applied.findings.problems)},
        {"warnings", errors_of(applied.findings.warnings)},
        {"notices", std::move(notices)},
        {"differences", std::move(differences)},
        {"written", applied.written},
        {"takenOverBy", word_of(applied.take_over.by)},
        {"restarted", std::move(restarted)},
        {"clockFloorTakenBack", applied.floor_taken_back
                                    ? json::value(base::format_rfc3339(*applied.floor_taken_back))
                                    : json::value(nullptr)},
        {"gatewayMustRestart", applied.written && applied.concerns_gateway()}};
    fmt::print("{}\n", json::serialize(out));
}

void print_findings(const edge::Applied& applied) {
    for (const auto& problem : applied.findings.problems) report(problem);
    for (const auto& warning : applied.findings.warnings) {
        fmt::print(stderr, "sallyport: warning: {} {}\n", warning.thing, warning.reason);
        if (!warning.fix.empty()) fmt::print(stderr, "sallyport: hint: {}\n", warning.fix);
    }
    for (const auto& notice : applied.notices) fmt::print(stderr, "sallyport: notice: {}\n", notice);
}

void print_differences(const edge::Applied& applied) {
    constexpr std::string_view nothing = "(none)";
    for (const auto& each : applied.differences)
        fmt::print("{:<13}{}: {} -> {}\n", edge::to_string(each.service), each.key,
                   each.before ? std::string_view(*each.before) : nothing,
                   each.after ? std::string_view(*each.after) : nothing);
    if (applied.device_key_differs)
        fmt::print("{:<13}device key: (hidden) -> (hidden), another one\n", "keys");
    if (applied.differences.empty() && !applied.device_key_differs) fmt::print("no difference\n");
}

void print_end(const edge::Applied& applied) {
    if (!applied.written) {
        fmt::print("nothing was written (--dry-run)\n");
        return;
    }
    const auto& taken = applied.take_over;
    if (taken.by == edge::TakeOver::By::nobody)
        fmt::print("written; nothing runs, the next start reads it\n");
    else if (taken.restarted.empty())
        fmt::print("written; the services run with it already\n");
    else
        fmt::print("written; {} restarted {}\n", word_of(taken.by),
                   fmt::join(words_of(taken.restarted), ", "));
    if (applied.floor_taken_back)
        fmt::print("the clock floor was at {}, after the present time: taken back to now\n",
                   base::format_rfc3339(*applied.floor_taken_back));
    if (applied.concerns_gateway()) fmt::print("sallyport gateway run, if it runs, must be started again\n");
}

Exit apply(const ConfigOptions& options) {
    std::error_code why;
    edge::Application application{
        edge::Paths(std::filesystem::absolute(options.root, why).lexically_normal()), std::nullopt,
        options.dry_run};
    if (!options.file.empty()) application.file = options.file;
    const auto applied = edge::apply_configuration(application, base::system_clock().now());
    if (!applied) return report(applied.error());
    if (options.output == "json") {
        print_applied(*applied);
    } else {
        print_findings(*applied);
        if (applied->is_good()) {
            print_differences(*applied);
            print_end(*applied);
        }
    }
    return applied->is_good() ? Exit::done : Exit::no;
}

}  // namespace

void add_edge_config(CLI::App& edge, Run& run) {
    auto* config =
        edge.add_subcommand("config", "Check, apply or begin a configuration")->require_subcommand(1);
    const auto options = std::make_shared<ConfigOptions>();
    auto* command = config->add_subcommand(
        "apply", "Check everything, show what changes, and make the running services take it over");
    command->add_option("--root", options->root, "Directory under which all paths lie")->type_name("DIR");
    command
        ->add_option("-c,--config-file", options->file,
                     "Read this in place of config.toml, which it then becomes")
        ->type_name("FILE");
    command->add_flag("--dry-run", options->dry_run, "Check and show, write nothing");
    command->add_option("--output", options->output, "text or json")->check(CLI::IsMember({"text", "json"}));
    command->callback([&run, options] { run = [options] { return apply(*options); }; });
    add_edge_config_new(*config, run);
}

}  // namespace app
