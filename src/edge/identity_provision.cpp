// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "edge/identity_service.hpp"

namespace edge {
namespace {

constexpr std::chrono::seconds first_pause{1};
constexpr std::chrono::seconds longest_pause{15};
// A module that was made anew at the hub is noticed within this time.
constexpr std::chrono::minutes between_checks{5};

base::Bytes bytes_of(std::string_view text) {
    const auto bytes = base::as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

}  // namespace

net::Task<base::Result<IdentityService::Registry>> IdentityService::registry() {
    auto good = co_await check_clock();
    if (!good) co_return std::unexpected(std::move(good).error());
    while (true) {
        if (renewal_) co_await renewal_->settled();
        const auto seen = renewal_ ? renewal_->changes() : 0;
        auto opened = co_await HubRegistry::open(config_, keys_, certificates_, clock_, floor_);
        // Certificate and key may have been replaced between the reading of one and the other.
        if (opened || !renewal_) co_return opened;
        if (renewal_->changes() != seen) continue;
        const auto code = opened.error().code;
        if (code == base::Code::not_found || code == base::Code::invalid_argument) renewal_->suspect();
        co_return opened;
    }
}

// Tokens and judgements of an hour that is not now are worth nothing.
net::Task<base::Status> IdentityService::check_clock() {
    if (!floor_) co_return base::Status{};
    std::optional<base::Instant> not_before;
    if (config_.method == IdentityConfig::Method::x509) {
        const auto chain = co_await certificates_.read_chain(config_.certificate_id);
        if (chain) not_before = chain->front().not_before();
    }
    floor_->set_own_not_before(not_before);
    co_return floor_->sound();
}

// The two keys that a module of this generation has here, as base64.
net::Task<base::Result<IdentityService::ModuleKeys>> IdentityService::derived_keys(std::string module,
                                                                                   std::string generation) {
    auto master = co_await keys_.create_key("aziot_identityd_master_id", "derive,sign");
    if (!master) co_return std::unexpected(std::move(master).error());
    ModuleKeys keys;
    for (std::size_t slot = 0; slot < keys.slot.size(); ++slot) {
        const auto word = slot == ModuleKeys::primary ? "primary" : "secondary";
        auto handle =
            co_await keys_.derive(*master, bytes_of(fmt::format("{}:{}:{}", module, generation, word)));
        if (!handle) co_return std::unexpected(std::move(handle).error());
        auto key = co_await keys_.export_derived(*handle);
        if (!key) co_return std::unexpected(std::move(key).error());
        auto text = base::to_base64(key->bytes());
        keys.slot[slot] = base::SecretBytes(std::string_view(text));
        base::wipe(text.data(), text.size());
    }
    co_return keys;
}

bool IdentityService::has_keys(const HubModule& module, const ModuleKeys& keys) {
    return module.primary_key == keys.slot[ModuleKeys::primary] &&
           module.secondary_key == keys.slot[ModuleKeys::secondary];
}

// Makes the hub's keys of a module those that are derived here, and remembers the module.
net::Task<base::Result<ModuleRecord>> IdentityService::set_keys(Registry hub, HubModule module) {
    if (module.generation.empty())
        co_return base::fail(base::Code::malformed, fmt::format("module {} at the hub", module.id),
                             "has no generationId");
    auto keys = co_await derived_keys(module.id, module.generation);
    if (!keys) co_return std::unexpected(std::move(keys).error());
    ModuleRecord record{module.id, module.managed_by, module.generation};
    if (!uses_certificate(module.id) && !has_keys(module, *keys)) {
        auto updated = co_await hub->set_keys(module.id, std::move(keys->slot[ModuleKeys::primary]),
                                              std::move(keys->slot[ModuleKeys::secondary]));
        if (!updated) co_return std::unexpected(std::move(updated).error());
        base::log::info(base::events::module_registered,
                        {{"module", module.id}, {"generation", module.generation}});
    }
    const auto* known = state_->find(module.id);
    if (!known || known->generation != record.generation || known->managed_by != record.managed_by)
        if (auto saved = state_->save(record); !saved) co_return std::unexpected(std::move(saved).error());
    co_return record;
}

net::Task<base::Result<ModuleRecord>> IdentityService::register_module(Registry hub, std::string module,
                                                                       bool create) {
    auto found = co_await hub->get(module);
    if (!found && found.error().code == base::Code::not_found && create) {
        // A 404 may also mean that the device is unknown; the creation then says so.
        auto created = co_await hub->create(module);
        if (!created) co_return std::unexpected(std::move(created).error());
        found = std::move(created);
    }
    if (!found) co_return std::unexpected(std::move(found).error());
    auto record = co_await set_keys(hub, *std::move(found));
    co_return record;
}

net::Task<base::Status> IdentityService::reconcile() {
    auto hub = co_await registry();
    if (!hub) co_return std::unexpected(std::move(hub).error());
    const auto opened = *hub;
    for (const auto& module : config_.modules) {
        auto record = co_await register_module(opened, module, true);
        if (!record) co_return std::unexpected(std::move(record).error());
    }
    co_return base::Status{};
}

net::Task<> IdentityService::keep_provisioned() {
    wake_.emplace();
    const net::ClockWatch clock_watch([this] { wake_->notify(); });
    if (!state_) {
        base::log::info(base::events::device_not_provisioned, {{"reason", "provisioning source is none"}});
        co_return;
    }
    if (renewal_) co_await renewal_->first_step();
    auto pause = first_pause;
    bool was_good = false;
    std::string last_trouble;
    while (!stopping_) {
        auto done = co_await reconcile();
        attempted_ = true;
        for (const auto& each : std::exchange(waiting_, {})) each->notify();
        if (stopping_) break;
        if (done) {
            if (!was_good)
                base::log::info(base::events::device_provisioned,
                                {{"device", config_.device_id}, {"hub", config_.hub.name}});
            was_good = true;
            last_trouble.clear();
            pause = first_pause;
            co_await wake_->wait(between_checks);
            continue;
        }
        was_good = false;
        // The same reason again and again would hide everything else in the log.
        const auto trouble = done.error().text();
        base::log::write(trouble == last_trouble ? base::log::Level::debug : base::log::Level::warning,
                         base::events::device_not_provisioned, done.error(),
                         {{"device", config_.device_id}, {"hub", config_.hub.name}});
        last_trouble = trouble;
        co_await wake_->wait(pause);
        pause = std::min(pause * 2, longest_pause);
    }
}

net::Task<> IdentityService::first_attempt(std::chrono::milliseconds limit) {
    if (attempted_ || stopping_ || !wake_) co_return;
    const auto end = std::make_shared<net::Event>();
    waiting_.push_back(end);
    co_await end->wait(limit);
}

void IdentityService::stop() {
    stopping_ = true;
    if (renewal_) renewal_->stop();
    for (const auto& each : std::exchange(waiting_, {})) each->notify();
    if (wake_) wake_->notify();
}

}  // namespace edge
