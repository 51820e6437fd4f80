// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <boost/json.hpp>
#include <memory>

#include "app/ca.hpp"
#include "base/result.hpp"
#include "ca/request.hpp"

namespace app {
namespace {

struct BlockOptions {
    std::string data, device;
    bool blocked = true;
};

base::Status run_block(const BlockOptions& options) {
    SP_TRY(return, const auto answer,
                 ca::with_books(options.data,
                                {{"do", "block"}, {"device", options.device}, {"blocked", options.blocked}}));
    if (const auto* changed = answer.if_contains("changed"); changed && *changed == false)
        fmt::print(stderr, "sallyport: note: {} was {} already\n", options.device,
                   options.blocked ? "blocked" : "not blocked");
    return {};
}

void add_one(CLI::App& ca, Run& run, const char* name, const char* about, bool blocked) {
    const auto options = std::make_shared<BlockOptions>();
    options->blocked = blocked;
    auto* command = ca.add_subcommand(name, about);
    command->add_option("--data", options->data, "Data directory of the CA")->required();
    command->add_option("device", options->device, "Device, as ca list shows it")->required();
    command->callback([&run, options] { run = ca_runner(options, run_block); });
}

}  // namespace

void add_ca_block(CLI::App& ca, Run& run) {
    add_one(ca, run, "block", "Refuse a device renewal and enrolment; revokes nothing", true);
    add_one(ca, run, "unblock", "Let a blocked device renew and enrol again", false);
}

}  // namespace app
