// SPDX-License-Identifier: Apache-2.0
//
// The load of bench/compare.py: many devices that use one certificate, against any TLS or MQTT server.
//   hub_load handshake ...  TLS handshakes alone, one after the other
//   hub_load connect ...    CONNECT to CONNACK over new connections
//   hub_load hold ...       opens --count connections, prints "held N", holds them until its input ends
//   hub_load publish ...    QoS 1 from --devices devices with --window in flight each
#include <fmt/format.h>

#include <unistd.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "mqtt/client.hpp"
#include "net/loop.hpp"
#include "net/timer.hpp"
#include "pki/trust_bundle.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Options {
    std::string mode, host, name, hub, certificate, key, trust, prefix = "d";
    std::uint16_t port = 8883;
    std::size_t count = 1000, at_once = 8, devices = 50, window = 16, size = 256;
    double seconds = 10;
};

base::Result<std::shared_ptr<const net::ClientTls>> load_tls(const Options& options) {
    net::ClientTls::Options tls;
    SP_TRY(return, const auto trust, base::read_file(options.trust, "trust bundle"));
    SP_TRY(return, auto bundle, pki::TrustBundle::from_pem(trust, options.trust));
    tls.trust = std::make_shared<const pki::TrustBundle>(std::move(bundle));
    SP_TRY(return, const auto chain, base::read_file(options.certificate, "certificate"));
    SP_TRY(return, tls.chain, pki::certificates_from_pem(chain, options.certificate));
    SP_TRY(return, auto key, pki::PrivateKey::load(options.key, options.key));
    tls.key = std::move(key);
    return net::ClientTls::make(std::move(tls));
}

/// What every task of one run shares.
struct Run {
    const Options& options;
    std::shared_ptr<const net::ClientTls> tls;
    Clock::time_point end;
    std::size_t next = 0;
    std::size_t done = 0;
    std::vector<double> latencies;  ///< microseconds
    std::vector<std::unique_ptr<mqtt::Client>> held;
    std::string failed;

    bool goes_on() const { return failed.empty() && Clock::now() < end; }
    net::TlsTarget target() const { return {options.host, options.port, options.name}; }
    mqtt::Client::Options client(std::size_t number) const {
        mqtt::Client::Options client;
        client.target = target();
        client.tls = tls;
        client.connect.client_id = device(number);
        client.connect.keep_alive = 1100;
        client.connect.user_name = options.hub + "/" + device(number) + "/?api-version=2021-04-12";
        return client;
    }
    std::string device(std::size_t number) const { return options.prefix + std::to_string(number); }
};

net::Task<> shake_hands(Run& run) {
    while (run.goes_on()) {
        auto connected = co_await net::connect_tls(run.target(), run.tls, 20s, base::system_clock());
        if (!connected) {
            run.failed = connected.error().text();
            co_return;
        }
        // A server of TLS 1.3 has seen nothing of ours before it reads this.
        co_await connected->stream.close_after_answer(1s);
        ++run.done;
    }
}

net::Task<> connect_again(Run& run) {
    while (run.goes_on()) {
        auto client =
            co_await mqtt::Client::connect(run.client(run.next++ % run.options.count), base::system_clock());
        if (!client) {
            run.failed = client.error().text();
            co_return;
        }
        co_await (*client)->disconnect();
        ++run.done;
    }
}

net::Task<> hold_some(Run& run) {
    while (run.failed.empty() && run.next < run.options.count) {
        auto client = co_await mqtt::Client::connect(run.client(run.next++), base::system_clock());
        if (!client) {
            run.failed = client.error().text();
            co_return;
        }
        run.held.push_back(*std::move(client));
    }
}

net::Task<> publish_on(Run& run, mqtt::Client& client, std::string topic) {
    while (run.goes_on()) {
        const auto begin = Clock::now();
        auto payload = base::Bytes(run.options.size, std::byte{'x'});
        auto sent = co_await client.publish(topic, std::move(payload), mqtt::Qos::at_least_once);
        if (!sent) {
            run.failed = sent.error().text();
            co_return;
        }
        run.latencies.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
        ++run.done;
    }
}

net::Task<> publish_all(Run& run) {
    for (std::size_t i = 0; i < run.options.devices; ++i) {
        auto client = co_await mqtt::Client::connect(run.client(i), base::system_clock());
        if (!client) {
            run.failed = client.error().text();
            co_return;
        }
        run.held.push_back(*std::move(client));
    }
    run.end = Clock::now() +
              std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(run.options.seconds));
    net::TaskGroup group;
    for (std::size_t i = 0; i < run.held.size(); ++i) {
        const auto topic = "devices/" + run.device(i) + "/messages/events/";
        for (std::size_t k = 0; k < run.options.window; ++k)
            group.spawn("publish", publish_on(run, *run.held[i], topic));
    }
    co_await group.drained();
}

net::Task<> play(Run& run) {
    net::TaskGroup group;
    if (run.options.mode == "publish") {
        group.spawn("publish", publish_all(run));
    } else {
        for (std::size_t i = 0; i < run.options.at_once; ++i) {
            if (run.options.mode == "handshake") group.spawn("handshake", shake_hands(run));
            if (run.options.mode == "connect") group.spawn("connect", connect_again(run));
            if (run.options.mode == "hold") group.spawn("hold", hold_some(run));
        }
    }
    co_await group.drained();
    if (run.options.mode == "hold" && run.failed.empty()) {
        fmt::print("held {}\n", run.held.size());
        std::fflush(stdout);
        char byte = 0;
        while (::read(STDIN_FILENO, &byte, 1) > 0) {
        }
    }
    run.held.clear();
}

double percentile(std::vector<double>& values, double part) {
    if (values.empty()) return 0;
    const auto at =
        values.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Load for a TLS or MQTT server."};
    Options options;
    app.add_option("mode", options.mode)
        ->required()
        ->check(CLI::IsMember({"handshake", "connect", "hold", "publish"}));
    app.add_option("--host", options.host)->required();
    app.add_option("--port", options.port);
    app.add_option("--name", options.name, "of the server's certificate")->required();
    app.add_option("--hub", options.hub, "for user names");
    app.add_option("--cert", options.certificate)->required();
    app.add_option("--key", options.key)->required();
    app.add_option("--trust", options.trust)->required();
    app.add_option("--prefix", options.prefix, "of device ids");
    app.add_option("--count", options.count, "device ids to go round, or connections to hold");
    app.add_option("--at-once", options.at_once);
    app.add_option("--devices", options.devices);
    app.add_option("--window", options.window);
    app.add_option("--size", options.size, "octets of a payload");
    app.add_option("--seconds", options.seconds);
    CLI11_PARSE(app, argc, argv);
    base::log::configure(base::log::Level::error, base::log::Format::text, "hub_load");
    auto tls = load_tls(options);
    if (!tls) {
        fmt::print(stderr, "hub_load: {}\n", tls.error().text());
        return 3;
    }
    const auto begin = Clock::now();
    Run run{
        options,
        *tls,
        begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds)),
        0,
        0,
        {},
        {},
        {}};
    net::run_task(play(run));
    if (!run.failed.empty()) {
        fmt::print(stderr, "hub_load: {}\n", run.failed);
        return 1;
    }
    const double took = std::chrono::duration<double>(Clock::now() - begin).count();
    fmt::print("{{\"done\":{},\"seconds\":{:.2f},\"p50_us\":{:.0f},\"p99_us\":{:.0f}}}\n", run.done, took,
               percentile(run.latencies, 0.5), percentile(run.latencies, 0.99));
    return 0;
}
