// SPDX-License-Identifier: Apache-2.0
#include "check/run.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace check {
namespace {

bool is_named(const Check& check, const std::vector<std::string>& names) {
    return std::ranges::any_of(
        names, [&](const std::string& name) { return name == check.id || name == check.group; });
}

base::Status known(const std::vector<Check>& all, const std::vector<std::string>& names) {
    for (const auto& name : names)
        if (std::ranges::none_of(all,
                                 [&](const Check& check) { return check.id == name || check.group == name; }))
            return base::fail(base::Code::usage, "check " + name, "does not exist",
                              "sallyport check --list shows all of them and their groups");
    return {};
}

net::Task<Finding> run_one(const Check& check, Device& device) {
    if (check.needs == Check::Needs::configuration && !device.configuration)
        co_return skipped("config.toml cannot be read: see config-well-formed");
    if (const auto* at_once = std::get_if<0>(&check.run)) co_return (*at_once)(device);
    const auto* waiting = std::get_if<1>(&check.run);
    auto finding = co_await (*waiting)(device);
    co_return finding;
}

}  // namespace

std::vector<Check> all_checks() {
    std::vector<Check> all;
    for (const auto family :
         {configuration_checks(), host_checks(), certificate_checks(), key_checks(), edge_ca_checks(),
          service_checks(), upstream_checks(), est_checks(), gateway_checks()})
        all.insert(all.end(), family.begin(), family.end());
    return all;
}

base::Result<std::vector<Check>> choose(const std::vector<std::string>& only,
                                        const std::vector<std::string>& but) {
    auto all = all_checks();
    for (const auto* names : {&only, &but})
        if (auto good = known(all, *names); !good) return std::unexpected(good.error());
    std::erase_if(all, [&](const Check& check) {
        return (!only.empty() && !is_named(check, only)) || is_named(check, but);
    });
    return all;
}

net::Task<Report> run_checks(std::vector<Check> checks, Device& device) {
    Report report;
    for (const auto& check : checks) {
        auto finding = co_await run_one(check, device);
        report.push_back({check, std::move(finding)});
    }
    co_return report;
}

Outcome verdict_of(const Report& report) {
    Outcome worst = Outcome::ok;
    for (const auto& each : report) {
        // An error that was found counts more than what could not be found out, and that more than a warning.
        if (each.finding.outcome == Outcome::error) return Outcome::error;
        if (each.finding.outcome == Outcome::unknown) worst = Outcome::unknown;
        if (each.finding.outcome == Outcome::warning && worst == Outcome::ok) worst = Outcome::warning;
    }
    return worst;
}

}  // namespace check
