// SPDX-License-Identifier: Apache-2.0
#include "tempsensor/sensor.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

#include "azure/message.hpp"
#include "azure/username.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "mqtt/client.hpp"
#include "net/timer.hpp"
#include "pki/verify.hpp"
#include "trust/sas_token.hpp"

namespace {

constexpr int done = 0;
constexpr int refused = 1;
constexpr int unknown = 3;
constexpr std::chrono::seconds patience{20};

int tell(const base::Error& error, int code) {
    fmt::print(stderr, "tempsensor: error: {} {}\n", error.thing, error.reason);
    if (!error.fix.empty()) fmt::print(stderr, "tempsensor: hint: {}\n", error.fix);
    return code;
}

base::Result<net::TlsTarget> target_of(const SensorOptions& options) {
    const auto colon = options.gateway.rfind(':');
    const auto bad = [&] {
        return base::fail(base::Code::invalid_argument, "--gateway " + options.gateway, "is not HOST:PORT");
    };
    if (colon == std::string::npos || colon == 0) return bad();
    std::uint16_t port = 0;
    const char* first = options.gateway.data() + colon + 1;
    const char* last = options.gateway.data() + options.gateway.size();
    const auto [end, wrong] = std::from_chars(first, last, port);
    if (wrong != std::errc() || end != last || port == 0) return bad();
    const auto host = options.gateway.substr(0, colon);
    return net::TlsTarget{host, port, options.name.empty() ? host : options.name};
}

base::Result<std::shared_ptr<const net::ClientTls>> tls_of(const SensorOptions& options) {
    net::ClientTls::Options tls;
    if (options.trust.empty()) {
        SP_TRY(return, auto system, pki::TrustBundle::system());
        tls.trust = std::make_shared<const pki::TrustBundle>(std::move(system));
    } else {
        SP_TRY(return, const auto text, base::read_file(options.trust, "trust bundle"));
        SP_TRY(return, auto bundle, pki::TrustBundle::from_pem(text, "trust bundle " + options.trust));
        tls.trust = std::make_shared<const pki::TrustBundle>(std::move(bundle));
    }
    if (!options.certificate.empty()) {
        SP_TRY(return, const auto text, base::read_file(options.certificate, "certificate"));
        SP_TRY(return, tls.chain, pki::certificates_from_pem(text, "certificate " + options.certificate));
        SP_TRY(return, auto key, pki::PrivateKey::load(options.key, "key " + options.key));
        tls.key = std::move(key);
    }
    return net::ClientTls::make(std::move(tls));
}

base::Result<mqtt::Connect> connect_of(const SensorOptions& options) {
    azure::Claim claim;
    claim.identity = {options.device, ""};
    claim.host = options.hub;
    claim.api_version = "2021-04-12";
    claim.client_type = "sallyport-tempsensor/" SALLYPORT_VERSION;
    mqtt::Connect connect;
    connect.client_id = options.device;
    connect.user_name = azure::make_username(claim);
    if (!options.token.empty()) {
        connect.password = options.token;
    } else if (!options.symmetric_key.empty()) {
        const auto expires = base::system_clock().now() + std::chrono::hours(1);
        SP_TRY(return, connect.password,
                     trust::make_sas_token(options.hub + "/devices/" + options.device, options.symmetric_key,
                                           expires));
    }
    return connect;
}

/// The whole way of the decision where asked for or where it was no; else its outcome on one line.
void show(const SensorOptions& options, const pki::Verdict& verdict) {
    if (verdict.steps.empty()) return;
    const bool accepted = verdict.accepted();
    const std::string& name = options.name;
    fmt::print("Is the server at {} the gateway {}? {}\n", options.gateway, name, accepted ? "Yes:" : "No:");
    if (options.explain || !accepted)
        fmt::print("{}", pki::to_text(verdict));
    else
        fmt::print("  {} checks passed\n", verdict.steps.size());
    if (!accepted) {
        const auto advice = pki::advice(verdict.first_failure()->check);
        if (!advice.empty()) fmt::print("  What helps: {}\n", advice);
    }
    std::fflush(stdout);
}

/// A room that warms up and cools down.
double temperature(std::uint32_t sequence) {
    return std::round((21.0 + 4.0 * std::sin(static_cast<double>(sequence) / 5.0)) * 10.0) / 10.0;
}

net::Task<int> send_readings(const SensorOptions& options, mqtt::Client& client) {
    const trust::Identity self{options.device, ""};
    for (std::uint32_t sequence = 1; sequence <= options.count; ++sequence) {
        azure::Message message;
        message.system = {{"content-type", "application/json"}, {"content-encoding", "utf-8"}};
        const auto topic = azure::telemetry_topic(self, message);
        const auto text =
            fmt::format(R"({{"temperature": {:.1f}, "sequence": {}}})", temperature(sequence), sequence);
        const auto body = base::as_bytes(text);
        auto payload = base::Bytes(body.begin(), body.end());
        auto sent = co_await client.publish(topic, std::move(payload), mqtt::Qos::at_least_once);
        if (!sent) {
            // The gateway closes a session that it does not accept any more: that is its no.
            co_return tell(sent.error(), sent.error().code == base::Code::closed ? refused : unknown);
        }
        fmt::print("sent and acknowledged: {}\n", text);
        std::fflush(stdout);
        if (sequence < options.count && options.interval_ms > 0) {
            const bool slept = co_await net::sleep_for(std::chrono::milliseconds(options.interval_ms));
            if (!slept) co_return unknown;
        }
    }
    co_return done;
}

}  // namespace

net::Task<int> run_sensor(SensorOptions options) {
    auto target = target_of(options);
    if (!target) co_return tell(target.error(), 2);
    if (options.name.empty()) options.name = target->name;
    auto tls = tls_of(options);
    if (!tls) co_return tell(tls.error(), unknown);
    auto connect = connect_of(options);
    if (!connect) co_return tell(connect.error(), unknown);

    mqtt::Client::Options wanted;
    wanted.target = *target;
    wanted.tls = *tls;
    wanted.connect = std::move(*connect);
    wanted.limit = patience;
    pki::Verdict verdict;
    auto client = co_await mqtt::Client::connect(std::move(wanted), base::system_clock(), &verdict);
    show(options, verdict);
    if (!client) {
        const auto code = client.error().code;
        const bool no =
            !verdict.steps.empty() && (!verdict.accepted() || code == base::Code::unauthenticated ||
                                       code == base::Code::invalid_argument);
        co_return tell(client.error(), no ? refused : unknown);
    }
    fmt::print("The gateway has accepted {}.\n", options.device);
    std::fflush(stdout);
    const int code = co_await send_readings(options, **client);
    co_await (*client)->disconnect();
    co_return code;
}
