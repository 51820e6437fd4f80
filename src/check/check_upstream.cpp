// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "check/check.hpp"
#include "check/judge_certificate.hpp"
#include "edge/hub_trust.hpp"

namespace check {
namespace {

std::string how_to_reach(const net::TlsTarget& target) {
    return fmt::format(
        "see that {}:{} resolves and can be reached from here (getent hosts {}; openssl s_client "
        "-connect {}:{}), and that the hub runs",
        target.host, target.port, target.host, target.host, target.port);
}

/// A refusal by our judgement is about the certificate, anything else about the way.
Finding judge_reached(const net::TlsTarget& target, const base::Status& reached,
                      const pki::Verdict& verdict) {
    const auto thing = fmt::format("{} at {}:{}", target.name, target.host, target.port);
    if (reached) return ok(fmt::format("{} answers, and its certificate is good", thing));
    if (!verdict.steps.empty() && !verdict.accepted())
        return judge_verdict(
            thing, verdict,
            "put the root of its certificate into [provisioning] trusted_certs, or the OS trust store");
    return error(fmt::format("{} {}", thing, reached.error().reason), how_to_reach(target));
}

base::Status reached_of(const TlsProbe& probe) {
    if (probe.presented) return {};
    return std::unexpected(probe.presented.error());
}

net::Task<Finding> connect(Device& device, std::uint16_t port) {
    const auto& hub = device.configuration->device->hub;
    const auto target = hub_target(*device.configuration, port);
    auto trust = edge::hub_trust(hub);
    if (!trust) co_return failed(trust.error(), "correct [provisioning] trusted_certs");
    auto probe = co_await probe_tls(target, *std::move(trust), device.clock);
    co_return judge_reached(target, reached_of(probe), probe.verdict);
}

net::Task<Finding> hub_mqtt(Device& device) {
    if (!device.configuration->device) co_return ignored("this device is not provisioned");
    auto finding = co_await connect(device, device.configuration->device->hub.mqtt_port);
    co_return finding;
}

net::Task<Finding> hub_https(Device& device) {
    if (!device.configuration->device) co_return ignored("this device is not provisioned");
    const auto& hub = device.configuration->device->hub;
    const auto target = hub_target(*device.configuration, hub.https_port);
    auto trust = edge::hub_trust(hub);
    if (!trust) co_return failed(trust.error(), "correct [provisioning] trusted_certs");
    if (!device.hub_https) {
        auto probe = co_await probe_hub(target, *std::move(trust), device.clock);
        device.hub_https = std::move(probe);
    }
    co_return judge_reached(target, device.hub_https->reached, device.hub_https->verdict);
}

Finding hub_amqp(const Device&) {
    return ignored("nothing on this device speaks AMQP");
}

Finding dps(const Device&) {
    return ignored("[provisioning] source is not dps");
}

/// The parent is to be trusted by those who only have the trust bundle: modules, and devices that move up.
net::Task<Finding> parent(Device& device) {
    const auto& configuration = *device.configuration;
    if (!configuration.parent_hostname) co_return ignored("this device has no parent");
    if (!configuration.device) co_return ignored("this device is not provisioned");
    const auto target = hub_target(configuration, configuration.device->hub.mqtt_port);
    auto bundle = std::make_shared<const pki::TrustBundle>(device.trust_bundle());
    auto probe = co_await probe_tls(target, std::move(bundle), device.clock);
    auto finding = judge_reached(target, reached_of(probe), probe.verdict);
    const bool no_anchor = !probe.presented && !probe.verdict.steps.empty() && !probe.verdict.accepted() &&
                           probe.verdict.first_failure()->check.starts_with("path.");
    if (no_anchor) finding.fix = "add the parent's root to the file of trust_bundle_cert; " + finding.fix;
    co_return finding;
}

}  // namespace

std::span<const Check> upstream_checks() {
    constexpr const char* group = "connectivity";
    static constexpr std::array table{
        Check{"host-connect-iothub-amqp", group, "the hub can be reached over AMQP",
              Check::Needs::configuration, hub_amqp},
        Check{"host-connect-iothub-https", group,
              "the hub (or parent) answers over HTTPS, with a good certificate", Check::Needs::configuration,
              hub_https},
        Check{"host-connect-iothub-mqtt", group,
              "the hub (or parent) answers at its MQTT port, with a good certificate",
              Check::Needs::configuration, hub_mqtt},
        Check{"host-connect-dps-endpoint", group, "the provisioning service can be reached",
              Check::Needs::configuration, dps},
        Check{"parent-certificate", group,
              "the parent answers, and the trust bundle vouches for the name that is used",
              Check::Needs::configuration, parent},
    };
    return table;
}

}  // namespace check
