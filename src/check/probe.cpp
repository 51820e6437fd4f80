// SPDX-License-Identifier: Apache-2.0
#include "check/probe.hpp"

#include "base/file.hpp"
#include "base/result.hpp"
#include "check/judge_name.hpp"
#include "http/client.hpp"

namespace check {

base::Result<std::shared_ptr<const pki::TrustBundle>> hub_trust(const edge::HubAddress& hub) {
    if (!hub.trusted_certs) {
        SP_TRY(return, auto system, pki::TrustBundle::system());
        return std::make_shared<const pki::TrustBundle>(std::move(system));
    }
    std::vector<pki::Certificate> anchors;
    for (const auto& uri : *hub.trusted_certs) {
        SP_TRY(return, const auto file, edge::file_of_uri(uri));
        SP_TRY(return, const auto pem, base::read_file(file, "trusted certificate"));
        SP_TRY(return, auto chain, pki::certificates_from_pem(pem, "trusted certificate " + file.string()));
        anchors.insert(anchors.end(), chain.begin(), chain.end());
    }
    return std::make_shared<const pki::TrustBundle>(std::move(anchors));
}

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
    if (const auto date = answered->headers.get("Date")) probe.date = parse_http_date(*date);
    co_return probe;
}

net::TlsTarget hub_target(const edge::Configuration& configuration, std::uint16_t port) {
    if (const auto& parent = configuration.parent_hostname) return {*parent, port, *parent};
    const auto& hub = configuration.device->hub;
    return {hub.address, port, hub.name};
}

}  // namespace check
