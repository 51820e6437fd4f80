// SPDX-License-Identifier: Apache-2.0
#include "gateway/hub_tls.hpp"

#include <algorithm>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/clock_watch.hpp"

namespace gateway {

namespace {

constexpr std::chrono::minutes between_looks{1};
constexpr std::chrono::minutes between_looks_at_the_system{15};

std::vector<pki::Sha256> digests_of(const pki::TrustBundle& trust) {
    std::vector<pki::Sha256> digests;
    for (const auto& anchor : trust.anchors()) digests.push_back(anchor.sha256());
    std::sort(digests.begin(), digests.end());
    return digests;
}

}  // namespace

base::Result<std::unique_ptr<HubTls>> HubTls::open(const Config& config) {
    std::unique_ptr<HubTls> tls(new HubTls(config));
    if (const auto made = tls->refresh(); !made) return std::unexpected(made.error());
    return tls;
}

base::Result<bool> HubTls::refresh() {
    SP_TRY(return, auto trust, hub_trust(config_));
    auto anchors = digests_of(*trust);
    if (current_ && anchors == anchors_) return false;
    net::ClientTls::Options options;
    options.trust = std::move(trust);
    SP_TRY(return, current_, net::ClientTls::make(std::move(options)));
    anchors_ = std::move(anchors);
    return true;
}

net::Task<> HubTls::keep(const base::Clock& clock, std::function<void()> replaced) {
    const auto pause = config_.hub.trusted_certs.empty() ? between_looks_at_the_system : between_looks;
    std::string last_trouble;
    while (true) {
        const bool slept = co_await net::sleep_until_or_set(clock.now() + pause, clock);
        if (!slept) co_return;
        const auto changed = refresh();
        if (!changed) {
            const auto trouble = changed.error().text();
            if (trouble != last_trouble)
                base::log::write(
                    base::log::Level::warning, base::events::trust_failed, changed.error(),
                    {{"trust", "certificates of the hub"}, {"going_on", "with those read before"}});
            last_trouble = trouble;
            continue;
        }
        last_trouble.clear();
        if (!*changed) continue;
        base::log::info(base::events::trust_replaced,
                        {{"trust", "certificates of the hub"}, {"anchors", std::to_string(anchors_.size())}});
        replaced();
    }
}

}  // namespace gateway
