// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "base/duration.hpp"
#include "base/file.hpp"
#include "check/check.hpp"
#include "check/judge_certificate.hpp"
#include "crl/settings.hpp"
#include "pki/crl.hpp"

namespace check {
namespace {

using Needs = Check::Needs;

constexpr const char* group = "gateway";
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

/// What the gateway knows of one source of revocations, by the file that it keeps.
Finding judge_crl(const Device& device, const std::string& url, std::optional<std::chrono::seconds> max_age) {
    // Twice as long as a pull may take to be missed, and some.
    constexpr std::chrono::minutes silence{10};
    const auto reach = fmt::format(
        "see that this device reaches {}; the gateway's log says why it does not (crl.failed)", url);
    const auto file =
        crl::kept_file(crl::directory_under(device.paths.root() / "var/lib/aziot/gateway"), url);
    const auto content = base::read_file(file, "CRL", crl::largest_crl);
    if (!content && content.error().code == base::Code::not_found)
        return warning(fmt::format("the gateway has no CRL from {} yet: nobody is refused by it", url),
                       reach);
    if (!content) return failed(content.error(), "run sallyport check as root");
    const auto crl = pki::Crl::from_der(base::as_bytes(*content), "CRL " + file.string());
    if (!crl) return failed(crl.error(), "start the gateway again where it reaches " + url);
    struct stat told{};
    const auto now = device.clock.now();
    const auto asked =
        ::stat(file.c_str(), &told) == 0 ? base::Instant{std::chrono::seconds{told.st_mtime}} : now;
    const auto age = std::max(now - crl->this_update(), std::chrono::seconds(0));
    const auto text =
        fmt::format("the CRL of {} ({} revoked) is {} old, and was last known to be the newest {} ago",
                    crl->issuer(), crl->size(), base::format_duration(age),
                    base::format_duration(std::max(now - asked, std::chrono::seconds(0))));
    if (max_age && age > *max_age)
        return error(fmt::format("{}: older than crl_max_age, so devices of its CA are refused", text),
                     reach);
    if (crl->next_update() && now > *crl->next_update())
        return warning(
            fmt::format("{}; the next one was due at {}", text, base::format_rfc3339(*crl->next_update())),
            reach);
    if (now - asked > silence) return warning(text, reach);
    return ok(text);
}

Finding revocation(const Device& device) {
    const auto& wish = device.configuration->revocation;
    if (wish.crl_urls.empty())
        return ignored("crl_urls is not set: revoked device certificates are not refused here");
    std::optional<std::chrono::seconds> max_age;
    if (wish.crl_max_age) max_age = base::parse_duration(*wish.crl_max_age).value();
    std::vector<Finding> all;
    std::string good;
    for (const auto& url : wish.crl_urls) {
        all.push_back(judge_crl(device, url, max_age));
        good += (good.empty() ? "" : "; ") + all.back().reason;
    }
    return worst(all, good);
}

constexpr std::array table{
    Check{"gateway-running", group, "the gateway answers", Needs::configuration, running},
    Check{"gateway-server-certificate", group,
          "the gateway's certificate bears hostname, is valid, and leads to the trust bundle",
          Needs::configuration, server_certificate},
    Check{"gateway-revocation", group, "the gateway knows the newest list of revoked certificates",
          Needs::configuration, revocation},
};

}  // namespace

std::span<const Check> gateway_checks() {
    return table;
}

}  // namespace check
