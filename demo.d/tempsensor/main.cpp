// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <exception>

#include "base/log.hpp"
#include "net/loop.hpp"
#include "tempsensor/sensor.hpp"

namespace {

constexpr int wrong_usage = 2;

int parse_and_run(int argc, char** argv) {
    CLI::App app{"TempSensor: a downstream device that sends temperatures through an IoT Edge gateway."};
    SensorOptions options;
    app.add_option("--gateway", options.gateway, "HOST:PORT of the gateway")->required();
    app.add_option("--name", options.name, "the name that its certificate must have (default: HOST)");
    app.add_option("--hub", options.hub, "the IoT hub that the device belongs to")->required();
    app.add_option("--device", options.device, "device id")->required();
    auto* certificate = app.add_option("--cert", options.certificate, "device certificate (PEM)");
    auto* key = app.add_option("--key", options.key, "its private key (PEM, mode 0600)");
    certificate->needs(key);
    key->needs(certificate);
    app.add_option("--trust", options.trust, "trust anchors (PEM; default: those of the system)");
    auto* token = app.add_option("--token", options.token, "a SAS token");
    app.add_option("--symmetric-key", options.symmetric_key,
                   "the device's key in base64, to make a token with")
        ->excludes(token);
    app.add_option("--count", options.count, "how many readings")->capture_default_str();
    app.add_option("--interval-ms", options.interval_ms, "pause between two readings")->capture_default_str();
    app.add_flag("--explain", options.explain, "show every step of each trust decision");
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& wrong) {
        app.exit(wrong);
        return wrong_usage;
    }
    // Its own words are the output; the libraries below speak only of what is wrong.
    base::log::configure(base::log::Level::error, base::log::Format::text, "tempsensor");
    return net::run_task_for(run_sensor(options));
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return parse_and_run(argc, argv);
    } catch (const std::exception& bug) {
        fmt::print(stderr, "tempsensor: error: a bug in this program: {}\n", bug.what());
        return 3;
    }
}
