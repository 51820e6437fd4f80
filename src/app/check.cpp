// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <filesystem>
#include <memory>

#include "app/command.hpp"
#include "base/clock.hpp"
#include "check/run.hpp"
#include "net/loop.hpp"

namespace app {
namespace {

struct CheckOptions {
    std::string root = "/";
    std::string output = "text";
    std::vector<std::string> only;
    std::vector<std::string> but;
    bool warnings_as_errors = false;
    bool list = false;
};

Exit exit_of(check::Outcome verdict, bool warnings_as_errors) {
    switch (verdict) {
        case check::Outcome::error:
            return Exit::no;
        case check::Outcome::unknown:
            return Exit::unknown;
        case check::Outcome::warning:
            return warnings_as_errors ? Exit::no : Exit::done;
        default:
            return Exit::done;
    }
}

Exit list(const std::vector<check::Check>& checks) {
    for (const auto& each : checks) fmt::print("{:<14} {:<48} {}\n", each.group, each.id, each.description);
    return Exit::done;
}

Exit run_check(const CheckOptions& options) {
    auto chosen = check::choose(options.only, options.but);
    if (!chosen) return report(chosen.error());
    if (options.list) return list(*chosen);
    std::error_code why;
    const auto root = std::filesystem::absolute(options.root, why).lexically_normal();
    auto device = check::Device::look(edge::Paths(root), base::system_clock());
    const auto found = net::run_task_for(check::run_checks(*std::move(chosen), device));
    if (options.output == "json")
        fmt::print("{}\n", check::to_json(found));
    else
        fmt::print("{}", check::to_text(found));
    return exit_of(check::verdict_of(found), options.warnings_as_errors);
}

}  // namespace

void add_check(CLI::App& root, Run& run) {
    auto options = std::make_shared<CheckOptions>();
    auto* command = root.add_subcommand(
        "check", "Look at this edge device: certificates, keys, names, clock, services, connectivity");
    command->add_option("--root", options->root, "Directory under which all paths lie")->type_name("DIR");
    command->add_option("--output", options->output, "text or json")->check(CLI::IsMember({"text", "json"}));
    command
        ->add_option("--only", options->only,
                     "Make only this check, or this group of checks; may be repeated")
        ->type_name("NAME");
    command->add_option("--dont-run", options->but, "Leave this check, or group, out; may be repeated")
        ->type_name("NAME");
    command->add_flag("--warnings-as-errors", options->warnings_as_errors, "Exit with 1 for a warning too");
    command->add_flag("--list", options->list, "Show the checks and make none");
    command->callback([options, &run] { run = [options] { return run_check(*options); }; });
}

}  // namespace app
