// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/Option.hpp>
#include <memory>

#include "app/ca.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "ca/issuing.hpp"
#include "ca/rollover.hpp"

namespace app {
namespace {

struct RolloverOptions {
    std::string data, root;
    bool next = false;
    bool force = false;
};

/// Where it stands, and what the next step does, for a person.
void print_status(const ca::RolloverStatus& status) {
    using Step = ca::Rollover::Step;
    const auto& r = status.rollover;
    switch (r.step) {
        case Step::none:
            fmt::print("step 0: no rollover\n");
            fmt::print(
                "next: prepare. Makes the new root and its cross certificates; needs the root's key.\n");
            break;
        case Step::prepared:
            fmt::print("step 1 and 2: {} is published beside {} since {}, which still issues\n", r.to, r.from,
                       base::format_rfc3339(r.prepared));
            fmt::print("next: switch. The intermediates go under {}, once every device has fetched it.\n",
                       r.to);
            break;
        case Step::switched:
            fmt::print("step 3: {} issues since {}; {} is still known\n", r.to,
                       base::format_rfc3339(r.switched), r.from);
            fmt::print("next: retire. {} is published no longer, once what was issued under it has ended.\n",
                       r.from);
            break;
        case Step::retired:
            fmt::print("step 4: {} was retired at {}\n", r.from, base::format_rfc3339(r.retired));
            fmt::print("next: prepare, for another one.\n");
            break;
    }
    if (status.waiting == 0) return;
    fmt::print("waits for {} certificate{} issued before, the last of which ends at {}: {}{}\n",
               status.waiting, status.waiting == 1 ? "" : "s",
               status.latest_end ? base::format_rfc3339(*status.latest_end) : "no time",
               fmt::join(status.devices, ", "), status.waiting > status.devices.size() ? ", ..." : "");
}

base::Status run_rollover(const RolloverOptions& options) {
    if (auto fine = ca::check_is_ca(options.data); !fine) return fine;
    if (!options.next && (!options.root.empty() || options.force))
        return ca_usage(options.force ? "--force" : "--root", "goes with --next alone");
    if (options.next)
        if (auto done = ca::rollover_next(options.data, options.root, options.force, base::system_clock());
            !done)
            return done;
    SP_TRY(return, const auto status, ca::rollover_status(options.data, base::system_clock().now()));
    print_status(status);
    return {};
}

}  // namespace

void add_ca_rollover(CLI::App& ca, Run& run) {
    const auto options = std::make_shared<RolloverOptions>();
    auto* command =
        ca.add_subcommand("rollover", "From one root to the next: show the step, or take the next one");
    command->add_option("--data", options->data, "Data directory of the CA")->required();
    command->add_flag("--next", options->next, "Take the next step");
    command->add_option("--root", options->root, "Name of the new root, for the first step");
    command->add_flag("--force", options->force, "Also where certificates wait for it");
    command->callback([&run, options] { run = ca_runner(options, run_rollover); });
}

}  // namespace app
