// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>

#include "app/ca.hpp"
#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"
#include "ca/init.hpp"
#include "ca/ledger.hpp"

namespace app {
namespace {

struct InitOptions {
    std::string data;
    std::string root = ca::InitInput{}.root;
    std::string chain = ca::InitInput{}.chain.front();
    std::string key = "ec-p256";
    bool offline_root = false;
};

base::Status run_init(const InitOptions& options) {
    ca::InitInput input{.data = options.data, .root = options.root};
    SP_TRY(return, input.key_type, read_key_type(options.key));
    input.chain.clear();
    for (const auto name : base::split(options.chain, ','))
        if (!options.chain.empty() && !options.offline_root) input.chain.emplace_back(base::trim(name));
    for (const auto& name : input.chain)
        if (auto fine = as_usage(ca::check_ca_name(name)); !fine) return fine;
    if (auto fine = as_usage(ca::check_ca_name(input.root)); !fine) return fine;
    if (auto made = ca::init(input, base::system_clock().now()); !made) return made;
    // Its books: what was made so far is their beginning.
    SP_TRY(return, const auto ledger, ca::Ledger::open(options.data, base::system_clock()));
    // Written down at the ceremony: what the issuing machine must be given.
    if (options.offline_root) fmt::print("{}\n", pki::with_colons(ledger->root().sha256()));
    return {};
}

}  // namespace

void add_ca_init(CLI::App& ca, Run& run) {
    const auto options = std::make_shared<InitOptions>();
    auto* command = ca.add_subcommand("init", "Make a root CA and the intermediates below it");
    command->add_option("--data", options->data, "Data directory, made where it is missing")->required();
    command->add_option("--root", options->root, "Name of the root CA")->capture_default_str();
    command
        ->add_option("--chain", options->chain,
                     "Names of the intermediates, from the root downwards; '' for none")
        ->capture_default_str();
    command->add_option("--key", options->key, fmt::format("Type of their keys: {}", ca_key_types))
        ->capture_default_str();
    command->add_flag("--offline-root", options->offline_root,
                      "The root alone, on a machine without a network; prints its SHA-256");
    command->callback([&run, options] { run = ca_runner(options, run_init); });
}

}  // namespace app
