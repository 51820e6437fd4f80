// SPDX-License-Identifier: Apache-2.0
#include "app/edge.hpp"

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "edge/service_run.hpp"
#include "edge/supervisor.hpp"

namespace app {
namespace {

struct EdgeRunOptions {
    std::string root = "/";
    std::string service;
    std::string ready_file;
    int ready_descriptor = -1;
};

Exit run_edge(const EdgeRunOptions& options, std::vector<std::string> log_arguments) {
    std::error_code why;
    const edge::Paths paths(std::filesystem::absolute(options.root, why).lexically_normal());
    base::Status done;
    if (options.service.empty()) {
        edge::SupervisorRun run{paths, std::move(log_arguments), std::nullopt};
        if (!options.ready_file.empty()) run.ready_file = options.ready_file;
        done = edge::supervise(run);
    } else {
        edge::ServiceRun run{paths, *edge::parse_service(options.service), std::nullopt};
        if (options.ready_descriptor >= 0) run.ready_descriptor = options.ready_descriptor;
        done = edge::run_service(run, base::system_clock());
    }
    return done ? Exit::done : report(done.error());
}

}  // namespace

void add_edge(CLI::App& root, Run& run) {
    auto* edge =
        root.add_subcommand("edge", "Services of the edge device: keys, certificates, identity, workload");
    edge->require_subcommand(1);
    auto* command = edge->add_subcommand("run", "Run the four services, each a process of its own");
    const auto options = std::make_shared<EdgeRunOptions>();
    command->add_option("--root", options->root, "Directory under which all paths lie")->type_name("DIR");
    command
        ->add_option("--service", options->service,
                     "Run this one alone: keys, certificates, identity or workload")
        ->check(CLI::IsMember({"keys", "certificates", "identity", "workload"}));
    command->add_option("--ready-file", options->ready_file, "Written once all four serve")
        ->type_name("FILE");
    // The parent's end of the agreement with its children; nobody types it.
    command->add_option("--ready-fd", options->ready_descriptor)->group("");
    command->callback([&root, &run, options] {
        std::vector<std::string> log_arguments;
        for (const char* name : {"--log-level", "--log-format", "--clock-file"})
            if (const auto* option = root.get_option_no_throw(name); option && option->count() > 0)
                log_arguments.insert(log_arguments.end(), {name, option->as<std::string>()});
        run = [options, log_arguments] { return run_edge(*options, log_arguments); };
    });
    add_edge_config(*edge, run);
    add_edge_certs(*edge, run);
}

}  // namespace app
