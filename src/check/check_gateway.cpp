// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "check/check.hpp"
#include "check/judge_certificate.hpp"

namespace check {
namespace {

constexpr std::uint16_t mqtt_port = 8883;

net::TlsTarget gateway_target(const Device& device) {
    const auto& listen = device.configuration->gateway_listen;
    auto address = listen.address.value_or("0.0.0.0");
    if (address == "0.0.0.0") address = "127.0.0.1";
    if (address == "::") address = "::1";
    return {address, listen.mqtt_port.value_or(mqtt_port), device.configuration->hostname};
}

net::Task<TlsProbe> probe(Device& device) {
    auto bundle = std::make_shared<const pki::TrustBundle>(device.trust_bundle());
    return probe_tls(gateway_target(device), std::move(bundle), device.clock);
}

/// Nobody listens: what devices would see cannot be told.
bool is_silent(const TlsProbe& probe) {
    return !probe.presented && probe.verdict.steps.empty();
}

net::Task<Finding> running(Device& device) {
    const auto target = gateway_target(device);
    if (target.port == 0) co_return ignored("[gateway] mqtt_port is 0: any free one");
    const auto found = co_await probe(device);
    if (!is_silent(found))
        co_return ok(fmt::format("the gateway answers at {}:{}", target.host, target.port));
    co_return warning(fmt::format("no gateway answers at {}:{}, so no downstream device can connect: {}",
                                  target.host, target.port, found.presented.error().reason),
                      "start it: sallyport gateway run, or systemctl start sallyport-gateway");
}

net::Task<Finding> server_certificate(Device& device) {
    const auto target = gateway_target(device);
    if (target.port == 0) co_return ignored("[gateway] mqtt_port is 0: any free one");
    const auto found = co_await probe(device);
    if (is_silent(found)) co_return skipped("no gateway answers: see gateway-running");
    if (!found.presented)
        co_return judge_verdict(fmt::format("the gateway's server certificate for {}", target.name),
                                found.verdict,
                                "start sallyport gateway run again: it asks for a new certificate");
    const auto& chain = *found.presented;
    const std::vector<Finding> all{
        judge_order("the gateway's chain", chain),
        judge_validity(
            "the gateway's chain", chain, device.clock.now(),
            "see that the gateway reaches the workload service; its log says why it has no new one "
            "(server_certificate.failed)")};
    co_return worst(all,
                    fmt::format("devices that connect to {} and have the trust bundle accept it until {}",
                                target.name, base::format_rfc3339(chain.front().not_after())));
}

}  // namespace

std::span<const Check> gateway_checks() {
    constexpr const char* group = "gateway";
    static constexpr std::array table{
        Check{"gateway-running", group, "the gateway answers", Check::Needs::configuration, running},
        Check{"gateway-server-certificate", group,
              "the gateway's certificate bears hostname, is valid, and leads to the trust bundle",
              Check::Needs::configuration, server_certificate},
    };
    return table;
}

}  // namespace check
