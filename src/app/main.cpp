// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "app/clock_option.hpp"
#include "app/command.hpp"
#include "base/log.hpp"

namespace app {

Exit report(const base::Error& error, Exit otherwise) {
    fmt::print(stderr, "sallyport: error: {}{}{}\n", error.thing,
               error.thing.empty() || error.reason.empty() ? "" : " ", error.reason);
    if (!error.fix.empty()) fmt::print(stderr, "sallyport: hint: {}\n", error.fix);
    return error.code == base::Code::usage ? Exit::usage : otherwise;
}

namespace {

struct LogOptions {
    std::string level = "info";
    std::string format = "text";
};

int parse_and_run(int argc, char** argv) {
    CLI::App root{"Sallyport: an identity for every device at the edge, and a reason for every trust."};
    root.name("sallyport");
    root.set_version_flag("--version", "sallyport " SALLYPORT_VERSION);
    root.require_subcommand(1);
    root.fallthrough();
    LogOptions log;
    root.add_option("--log-level", log.level, "debug, info, warning or error")
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
    root.add_option("--log-format", log.format, "text or json")->check(CLI::IsMember({"text", "json"}));

    add_clock_option(root);

    Run run;
    add_ca(root, run);
    auto* hub = root.add_subcommand("hub", "IoT hub: devices, certificates, messages")->require_subcommand(1);
    add_hub(*hub, run);
    add_hub_dev(*hub, run);
    add_hub_connection_string(*hub, run);
    add_hub_sas_token(*hub, run);
    add_hub_env(*hub, run);
    add_hub_policy(*hub, run);
    add_hub_device(*hub, run);
    add_hub_twin(*hub, run);
    add_hub_certificate(*hub, run);
    add_hub_c2d_message(*hub, run);
    add_hub_monitor(*hub, run);
    add_hub_query(*hub, run);
    add_hub_statistics(*hub, run);
    add_hub_configuration(*hub, run);
    add_hub_method(*hub, run);
    add_hub_explain(*hub, run);
    add_edge(root, run);
    add_gateway(root, run);
    add_check(root, run);
    add_verify(root, run);
    add_thumbprint(root, run);

    try {
        root.parse(argc, argv);
    } catch (const CLI::Success& help) {
        return root.exit(help);
    } catch (const CLI::ParseError& wrong) {
        root.exit(wrong);
        return static_cast<int>(Exit::usage);
    }
    std::string role = "sallyport";
    if (const auto chosen = root.get_subcommands(); !chosen.empty()) role = chosen.front()->get_name();
    base::log::configure(base::log::parse_level(log.level).value_or(base::log::Level::info),
                         base::log::parse_format(log.format).value_or(base::log::Format::text), role);
    if (!run) {
        fmt::print(stderr, "sallyport: error: {} needs a subcommand\nsallyport: hint: run it with --help\n",
                   role);
        return static_cast<int>(Exit::usage);
    }
    return static_cast<int>(run());
}

}  // namespace
}  // namespace app

int main(int argc, char** argv) {
    try {
        return app::parse_and_run(argc, argv);
    } catch (const std::exception& bug) {
        fmt::print(stderr, "sallyport: error: a bug in this program: {}\n", bug.what());
        return static_cast<int>(app::Exit::unknown);
    }
}
