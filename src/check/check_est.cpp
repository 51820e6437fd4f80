// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/file.hpp"
#include "base/result.hpp"
#include "check/check.hpp"
#include "edge/est_identities.hpp"
#include "edge/est_record.hpp"
#include "edge/given_pairs.hpp"
#include "est/client.hpp"

namespace check {
namespace {

using Needs = Check::Needs;

constexpr const char* connectivity = "connectivity";
constexpr const char* nothing_by_est = "no certificate of this device comes from an EST server";

base::Result<std::shared_ptr<const pki::TrustBundle>> est_trust(const edge::EstSettings& est) {
    std::vector<pki::Certificate> anchors;
    for (const auto& uri : est.trusted_certs) {
        SP_TRY(return, const auto chain,
                     edge::read_given_chain(uri, "trusted certificate of the EST server"));
        anchors.insert(anchors.end(), chain.begin(), chain.end());
    }
    if (est.use_system_store) {
        SP_TRY(return, const auto system, pki::TrustBundle::system());
        anchors.insert(anchors.end(), system.anchors().begin(), system.anchors().end());
    }
    return std::make_shared<const pki::TrustBundle>(std::move(anchors));
}

/// Its certificate is judged, and it is asked for its CA certificates, as anybody may.
net::Task<Finding> ask_server(std::string url, std::shared_ptr<const pki::TrustBundle> trust,
                              const base::Clock& clock) {
    auto parsed = est::parse_url(url);
    if (!parsed) co_return failed(parsed.error(), "correct the URL in config.toml");
    est::Server server{*std::move(parsed), std::move(trust)};
    const est::Deadlines deadlines{patience, patience};
    est::Caller nobody;
    auto answered = co_await est::authorities(std::move(server), std::move(nobody), clock, deadlines);
    if (answered) co_return ok(fmt::format("{} answers, and its certificate is good", url));
    const auto& why = answered.error().why;
    co_return error(fmt::format("{} {}", why.thing, why.reason),
                    why.fix.empty() ? "see that the URL is one of an EST server, and its log" : why.fix);
}

net::Task<Finding> est_servers(Device& device) {
    const auto& configuration = *device.configuration;
    std::set<std::string> urls;
    for (const auto& each : edge::est_issuances(configuration))
        urls.insert(edge::est_url(configuration, each));
    for (const auto& each : edge::est_identities(configuration))
        if (each.is_obtained()) urls.insert(each.url);
    if (urls.empty() || !configuration.est) co_return ignored(nothing_by_est);
    const auto trust = est_trust(*configuration.est);
    if (!trust) co_return failed(trust.error(), "correct trusted_certs of [cert_issuance.est]");
    std::vector<Finding> all;
    std::string good;
    for (const auto& url : urls) {
        auto finding = co_await ask_server(url, *trust, device.clock);
        good += (good.empty() ? "" : "; ") + finding.reason;
        all.push_back(std::move(finding));
    }
    co_return worst(all, good);
}

/// A record outlives the configuration that it is of.
bool is_by_est(const edge::Configuration& configuration, std::string_view id) {
    const auto base = edge::without_temp(id);
    for (const auto& each : edge::est_issuances(configuration))
        if (each.id == base ||
            (each.id == edge::module_server_certificates && base.starts_with("aziot-edged/module/")))
            return true;
    return std::ranges::any_of(edge::est_identities(configuration),
                               [&](const edge::EstIdentity& each) { return each.id == base; });
}

/// What the certificates service was told last, and could not go on with.
Finding est_requests(const Device& device) {
    if (edge::est_issuances(*device.configuration).empty()) return ignored(nothing_by_est);
    const auto directory = edge::est_record_directory(device.paths.home(edge::Service::certificates));
    std::error_code why;
    const std::filesystem::directory_iterator look(directory, why);
    if (why && why != std::errc::no_such_file_or_directory)
        return unknown(fmt::format("{} cannot be read", directory.string()),
                       "run sallyport check as root, or as the user of edge run");
    std::vector<Finding> all;
    for (const auto& record : edge::read_est_records(directory)) {
        if (!is_by_est(*device.configuration, record.id)) continue;
        const auto reason = fmt::format("{}: {} {} (last asked {}, next not before {})", record.id,
                                        record.why.thing, record.why.reason,
                                        base::format_rfc3339(record.last), base::format_rfc3339(record.next));
        const auto fix = record.why.fix.empty() ? "see the EST server's log" : record.why.fix;
        const bool final =
            record.kind == est::Failure::Kind::refused || record.kind == est::Failure::Kind::rejected;
        all.push_back(final ? error(reason, fix) : warning(reason, fix));
    }
    return worst(all, "every request was answered with a certificate");
}

constexpr std::array table{
    Check{"host-connect-est-server", connectivity,
          "each EST server answers, with a certificate that trusted_certs vouches for", Needs::configuration,
          est_servers},
    Check{"est-requests", connectivity, "the EST server issues what this device asks for",
          Needs::configuration, est_requests},
};

}  // namespace

std::span<const Check> est_checks() {
    return table;
}

}  // namespace check
