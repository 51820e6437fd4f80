// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "edge/identity_service.hpp"

namespace edge {
namespace {

net::Task<base::Result<pki::CsrWish>> wish_for(std::string device) {
    pki::CsrWish wish;
    wish.common_name = std::move(device);
    co_return wish;
}

std::string how_to_register(const std::string& device, const std::string& thumbprint) {
    return fmt::format(
        "sallyport hub device update --device-id {0} --secondary-thumbprint {1} (or --primary-thumbprint "
        "{1}: "
        "the slot that does not hold the thumbprint in use)",
        device, thumbprint);
}

}  // namespace

// Before the old certificate is given up the hub is asked whether it takes the new one. A hub that looks at
// thumbprints does so once the operator has written the new one into the free slot; one that looks at the
// issuer does at once.
net::Task<base::Status> IdentityService::accepted_by_hub(std::string certificate_id, std::string key_id,
                                                         pki::Certificate next) {
    auto good = co_await check_clock();
    if (!good) co_return good;
    auto config = config_;
    config.certificate_id = std::move(certificate_id);
    config.key_id = std::move(key_id);
    auto opened = co_await HubRegistry::open(std::move(config), keys_, certificates_, clock_, floor_);
    if (!opened) co_return std::unexpected(std::move(opened).error());
    const auto hub = *opened;
    auto listed = co_await hub->list();
    if (listed) co_return base::Status{};
    auto why = std::move(listed).error();
    if (why.code == base::Code::permission_denied) {
        const auto thumbprint = base::to_hex_upper(next.sha256());
        why.thing = "renewed device certificate";
        why.reason = "is not taken by the hub yet, and the old one stays in use: " + why.reason;
        why.fix =
            "if the device is registered by thumbprint: " + how_to_register(config_.device_id, thumbprint);
        base::log::warning(base::events::certificate_announced,
                           {{"certificate", "device certificate"},
                            {"thumbprint", thumbprint},
                            {"not_after", base::format_rfc3339(next.not_after())},
                            {"register", how_to_register(config_.device_id, thumbprint)}});
    }
    co_return std::unexpected(std::move(why));
}

RenewalSubject IdentityService::device_certificate() {
    RenewalSubject subject;
    subject.thing = "device certificate";
    subject.id = config_.certificate_id;
    subject.supplied = config_.method == IdentityConfig::Method::x509;
    subject.policy = config_.renewal;
    subject.fix = subject.supplied
                      ? "put a new certificate and its key into the files that identity_cert and identity_pk "
                        "of [provisioning.authentication] name, after the hub knows its thumbprint"
                      : "add auto_renew to identity_cert of [provisioning.authentication]";
    subject.wish = [device = config_.device_id] { return wish_for(device); };
    subject.accepted = [this](std::string certificate_id, std::string key_id, pki::Certificate next) {
        return accepted_by_hub(std::move(certificate_id), std::move(key_id), std::move(next));
    };
    subject.changed = [this](const pki::Certificate& now) {
        const auto thumbprint = base::to_hex_upper(now.sha256());
        base::log::info(base::events::certificate_announced,
                        {{"certificate", "device certificate"},
                         {"thumbprint", thumbprint},
                         {"register", how_to_register(config_.device_id, thumbprint)}});
        if (wake_) wake_->notify();
    };
    return subject;
}

net::Task<> IdentityService::keep_certificate() {
    if (!renewal_) co_return;
    co_await renewal_->run();
}

}  // namespace edge
