// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <functional>
#include <string>

#include "base/error.hpp"

namespace app {

/// Exit codes of every command (design.md).
enum class Exit : int { done = 0, no = 1, usage = 2, unknown = 3 };

/// What the chosen command does; set by its callback while the command line is parsed, run afterwards.
using Run = std::function<Exit()>;

/// Each adds its subcommands under `root`. One file a command group; a file parses, wires and runs, nothing
/// else.
void add_ca(CLI::App& root, Run& run);
void add_hub(CLI::App& hub, Run& run);  ///< hub init, run
void add_hub_dev(CLI::App& hub, Run& run);
void add_hub_connection_string(CLI::App& hub, Run& run);
void add_hub_device(CLI::App& hub, Run& run);  ///< hub device, module, and az's names
void add_hub_twin(CLI::App& hub, Run& run);
void add_hub_sas_token(CLI::App& hub, Run& run);
void add_hub_env(CLI::App& hub, Run& run);
void add_hub_policy(CLI::App& hub, Run& run);
void add_hub_certificate(CLI::App& hub, Run& run);
void add_hub_c2d_message(CLI::App& hub, Run& run);
void add_hub_monitor(CLI::App& hub, Run& run);
void add_hub_query(CLI::App& hub, Run& run);
void add_hub_statistics(CLI::App& hub, Run& run);
void add_hub_configuration(CLI::App& hub, Run& run);  ///< hub configuration, set-modules
void add_hub_method(CLI::App& hub, Run& run);         ///< hub invoke-method, and az's names
void add_hub_explain(CLI::App& hub, Run& run);
void add_edge(CLI::App& root, Run& run);
void add_gateway(CLI::App& root, Run& run);
void add_check(CLI::App& root, Run& run);
void add_verify(CLI::App& root, Run& run);
void add_thumbprint(CLI::App& root, Run& run);

/// Prints "sallyport: error: <thing> <reason>" and "sallyport: hint: <fix>" on standard error, and gives the
/// exit code: usage for Code::usage, otherwise `otherwise` (a command that asks a question says Exit::unknown
/// where it could not find out).
Exit report(const base::Error& error, Exit otherwise = Exit::no);

}  // namespace app
