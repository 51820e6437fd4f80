// SPDX-License-Identifier: Apache-2.0
#include "gateway/server_certificate.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "gateway/hub_link.hpp"
#include "net/clock_watch.hpp"
#include "net/timer.hpp"

namespace gateway {

namespace {

/// How soon another Edge CA is noticed.
constexpr std::chrono::minutes between_looks_at_the_ca{1};
constexpr std::chrono::minutes renewal_retry{1};
constexpr std::chrono::minutes clock_skew{5};

void log_issued(const pki::Certificate& leaf, std::size_t chain) {
    base::log::info(base::events::server_certificate_issued,
                    {{"subject", leaf.subject()},
                     {"issuer", leaf.issuer()},
                     {"not_after", base::format_rfc3339(leaf.not_after())},
                     {"chain", std::to_string(chain)}});
}

net::Task<base::Result<std::shared_ptr<const net::ServerTls>>> obtain_once(WorkloadClient& workload,
                                                                           std::string hostname) {
    auto credential = co_await workload.server_certificate(hostname);
    if (!credential) co_return std::unexpected(std::move(credential).error());
    auto tls = net::ServerTls::make(credential->chain, credential->key);
    if (tls) log_issued(credential->chain.front(), credential->chain.size());
    co_return tls;
}

/// At two thirds of its life, and at once where it becomes valid only later: it was issued while the clock
/// was ahead.
bool is_due(const pki::Certificate& leaf, base::Instant now) {
    return now >= renew_at(leaf) || leaf.not_before() > now + clock_skew;
}

/// Whether certificates are issued by another Edge CA now than when `chain` was. known: the trust bundle when
/// last looked at. A bundle that does not parse says nothing.
bool is_other_issuer(const pki::Chain& chain, const std::optional<std::string>& known,
                     const std::string& bundle) {
    if (known) return *known != bundle;
    const auto authorities = pki::certificates_from_pem(bundle, "trust bundle");
    if (!authorities || chain.size() < 2) return false;
    return std::find(authorities->begin(), authorities->end(), chain[1]) == authorities->end();
}

}  // namespace

base::Instant renew_at(const pki::Certificate& certificate) {
    const auto life = certificate.not_after() - certificate.not_before();
    return certificate.not_before() + life * 2 / 3;
}

net::Task<std::shared_ptr<const net::ServerTls>> obtain_server_tls(WorkloadClient& workload,
                                                                   std::string hostname, const base::Clock&) {
    for (int attempt = 1;; ++attempt) {
        auto tls = co_await obtain_once(workload, hostname);
        if (tls) co_return std::move(*tls);
        if (tls.error().code == base::Code::cancelled) co_return nullptr;
        base::log::write(base::log::Level::warning, base::events::workload_unreachable, tls.error(),
                         {{"waiting_for", "server certificate for " + hostname}});
        const bool slept = co_await net::sleep_for(backoff(attempt));
        if (!slept) co_return nullptr;
    }
}

net::Task<> keep_server_tls(WorkloadClient& workload, std::string hostname, const base::Clock& clock,
                            std::shared_ptr<const net::ServerTls> first,
                            std::function<void(std::shared_ptr<const net::ServerTls>)> replace) {
    auto current = std::move(first);
    std::optional<std::string> authorities;
    while (true) {
        const auto now = clock.now();
        const auto wake =
            std::min<base::Instant>(renew_at(current->chain().front()), now + between_looks_at_the_ca);
        if (now < wake) {
            const bool slept = co_await net::sleep_until_or_set(wake, clock);
            if (!slept) co_return;
        }
        auto bundle = co_await workload.trust_bundle();
        const bool other_issuer = bundle && is_other_issuer(current->chain(), authorities, *bundle);
        if (!is_due(current->chain().front(), clock.now()) && !other_issuer) {
            if (bundle) authorities = *std::move(bundle);
            continue;
        }
        auto renewed = co_await obtain_once(workload, hostname);
        if (renewed) {
            current = std::move(*renewed);
            if (bundle) authorities = *std::move(bundle);
            replace(current);
            // Close to the end of the Edge CA a new certificate is due at once again.
            if (!is_due(current->chain().front(), clock.now())) continue;
            const bool rested = co_await net::sleep_for(renewal_retry);
            if (!rested) co_return;
            continue;
        }
        if (renewed.error().code == base::Code::cancelled) co_return;
        const auto left = current->chain().front().not_after() - clock.now();
        base::log::write(base::log::Level::warning, base::events::server_certificate_failed, renewed.error(),
                         {{"doing", "renewing"},
                          {"left", left.count() > 0 ? base::format_duration(left) : "expired"},
                          {"next_attempt", base::format_rfc3339(clock.now() + renewal_retry)}});
        const bool slept = co_await net::sleep_for(renewal_retry);
        if (!slept) co_return;
    }
}

}  // namespace gateway
