// SPDX-License-Identifier: Apache-2.0
#include "check/probe.hpp"

#include "http/client.hpp"
#include "http/date.hpp"

namespace check {

net::Task<TlsProbe> probe_tls(net::TlsTarget target, std::shared_ptr<const pki::TrustBundle> trust,
                              const base::Clock& clock) {
    TlsProbe probe;
    auto tls = net::ClientTls::make({.trust = std::move(trust), .chain = {}, .key = {}});
    if (!tls) {
        probe.presented = std::unexpected(std::move(tls).error());
        co_return probe;
    }
    auto connected = co_await net::connect_tls(std::move(target), *tls, patience, clock, &probe.verdict);
    if (connected)
        probe.presented = connected->stream.peer().certificates;
    else
        probe.presented = std::unexpected(std::move(connected).error());
    co_return probe;
}

net::Task<HubProbe> probe_hub(net::TlsTarget target, std::shared_ptr<const pki::TrustBundle> trust,
                              const base::Clock& clock) {
    HubProbe probe;
    auto tls = net::ClientTls::make({.trust = std::move(trust), .chain = {}, .key = {}});
    if (!tls) {
        probe.reached = std::unexpected(std::move(tls).error());
        co_return probe;
    }
    http::Request request;
    http::Endpoint endpoint = http::TlsEndpoint{std::move(target), *std::move(tls), &probe.verdict};
    auto answered = co_await http::request(std::move(endpoint), std::move(request), patience, clock);
    probe.asked = clock.now();
    if (!answered) {
        probe.reached = std::unexpected(std::move(answered).error());
        co_return probe;
    }
    if (const auto date = answered->headers.get("Date")) probe.date = http::parse_date(*date);
    co_return probe;
}

net::TlsTarget hub_target(const edge::Configuration& configuration, std::uint16_t port) {
    if (const auto& parent = configuration.parent_hostname) return {*parent, port, *parent};
    const auto& hub = configuration.device->hub;
    return {hub.address, port, hub.name};
}

}  // namespace check
