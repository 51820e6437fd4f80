// SPDX-License-Identifier: Apache-2.0
#include <CLI/Option.hpp>
#include <memory>

#include "app/ca.hpp"
#include "base/clock.hpp"
#include "ca/demo.hpp"

namespace app {
namespace {

base::Status run_demo(const ca::DemoInput& input) {
    return ca::make_demo_certificates(input, base::system_clock());
}

}  // namespace

void add_ca_demo_certs(CLI::App& ca, Run& run) {
    const auto input = std::make_shared<ca::DemoInput>();
    auto* command = ca.add_subcommand("demo-certs",
                                      "Make a certificate of every kind, with keys and a README, to try out");
    command->add_option("directory", input->directory, "Where to, a new or empty directory")->required();
    command->add_option("--hub", input->hub, "Name of the hub")->capture_default_str();
    command->add_option("--gateway", input->gateway, "Device id of the IoT Edge device")
        ->capture_default_str();
    command->add_option("--hostname", input->hostname, "Its host name")->capture_default_str();
    command->add_option("--downstream", input->downstream, "Device id of a device behind it")
        ->capture_default_str();
    command->callback([&run, input] { run = ca_runner(input, run_demo); });
}

}  // namespace app
