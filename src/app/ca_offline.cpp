// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <iostream>
#include <memory>

#include "app/ca.hpp"
#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"
#include "ca/offline.hpp"
#include "pki/profile.hpp"

namespace app {
namespace {

struct OfflineOptions {
    std::string data, stick, chain = "my_optional_intermediate_CA", key = "ec-p256", root_sha256;
    long long days = 0;
    bool yes = false;
};

/// Shows what is about to happen and asks, unless --yes has answered.
ca::Confirm asking(bool yes, const char* what) {
    return [yes, what](const std::string& question) {
        fmt::print(stderr, "{}\n", question);
        if (yes) return true;
        fmt::print(stderr, "{} Type yes: ", what);
        std::string answer;
        std::getline(std::cin, answer);
        return base::trim(answer) == "yes";
    };
}

base::Status run_request(const OfflineOptions& options) {
    ca::IntermediateRequest input{.data = options.data, .chain = {}, .stick = options.stick};
    SP_TRY(return, input.key_type, read_key_type(options.key));
    for (const auto name : base::split(options.chain, ',')) input.chain.emplace_back(base::trim(name));
    return ca::request_intermediate(input, base::system_clock().now());
}

base::Status run_sign(const OfflineOptions& options) {
    ca::RootSigning input{
        .data = options.data, .stick = options.stick, .confirm = asking(options.yes, "Sign it?")};
    if (options.days > 0) input.lifetime = std::chrono::days{options.days};
    return ca::sign_intermediate(input, base::system_clock());
}

base::Status run_install(const OfflineOptions& options) {
    ca::IntermediateInstall input{.data = options.data,
                                  .stick = options.stick,
                                  .confirm = asking(options.yes, "Is that the root that was made offline?")};
    if (!options.root_sha256.empty()) input.root_sha256 = options.root_sha256;
    return ca::install_intermediate(input, base::system_clock());
}

CLI::App* add_step(CLI::App& parent, const char* name, const char* about, OfflineOptions& options) {
    auto* command = parent.add_subcommand(name, about);
    command->add_option("--data", options.data, "Data directory of the CA on this machine")->required();
    command->add_option("--stick", options.stick, "Directory that travels between the machines")->required();
    return command;
}

}  // namespace

void add_ca_offline(CLI::App& ca, Run& run) {
    auto* root = ca.add_subcommand("root", "A root on a machine without a network")->require_subcommand(1);
    const auto signing = std::make_shared<OfflineOptions>();
    auto* sign = add_step(*root, "sign", "Sign the intermediate that a stick asks for", *signing);
    sign->add_option("--days", signing->days, "Lifetime, in place of the profile's")
        ->check(CLI::Range(1LL, static_cast<long long>(pki::longest_lifetime.count())));
    sign->add_flag("--yes", signing->yes, "Sign without asking");
    sign->callback([&run, signing] { run = ca_runner(signing, run_sign); });

    auto* intermediate =
        ca.add_subcommand("intermediate", "An issuing CA whose root is elsewhere")->require_subcommand(1);
    const auto requesting = std::make_shared<OfflineOptions>();
    auto* request = add_step(*intermediate, "request", "Make a key and write the request for its certificate",
                             *requesting);
    request
        ->add_option("--chain", requesting->chain, "Names of the intermediates; the first one is asked for")
        ->capture_default_str();
    request->add_option("--key", requesting->key, fmt::format("Type of their keys: {}", ca_key_types))
        ->capture_default_str();
    request->callback([&run, requesting] { run = ca_runner(requesting, run_request); });

    const auto installing = std::make_shared<OfflineOptions>();
    auto* install =
        add_step(*intermediate, "install", "Check what came back and make the CA of it", *installing);
    install->add_option("--root-sha256", installing->root_sha256,
                        "What ca init --offline-root printed, in place of the question");
    install->add_flag("--yes", installing->yes, "Take the root as it is");
    install->callback([&run, installing] { run = ca_runner(installing, run_install); });
}

}  // namespace app
