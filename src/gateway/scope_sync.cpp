// SPDX-License-Identifier: Apache-2.0
#include "gateway/scope_sync.hpp"

#include <algorithm>
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/timer.hpp"

namespace gateway {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds held{55};
/// A CONNECT is answered within five seconds (gateway.md 2.10); what the rest of it needs is less than one.
constexpr std::chrono::milliseconds lookup_limit{4000};
/// Strangers can make us ask the hub: at most so many questions a second, with a burst for a crowd that comes
/// back.
constexpr double lookups_per_second = 20;
constexpr double lookup_burst = 100;
/// Remembered refusals are as many as strangers like to name: a table that is full is started over.
constexpr std::size_t most_unknown = 10'000;
/// More changes than this are cheaper as one whole fetch.
constexpr std::size_t most_single = 64;

/// Whether somebody may be let in through this device.
bool is_open_edge(const trust::Record& record) {
    return record.edge_enabled && record.status == trust::Enablement::enabled;
}

}  // namespace

ScopeSync::ScopeSync(SharedScope& scope, HubClient& hub, HubLink& link, ScopeStore& store, ScopeOwner owner,
                     net::TaskGroup& tasks, const base::Clock& clock)
    : scope_(scope),
      hub_(hub),
      link_(link),
      store_(store),
      owner_(std::move(owner)),
      tasks_(tasks),
      clock_(clock),
      permits_(lookup_burst),
      permits_at_(Steady::now()) {}

net::Task<> ScopeSync::run() {
    int failures = 0;
    while (true) {
        const bool mine = co_await link_.turn();
        if (!mine) co_return;
        base::Status done;
        if (whole_) {
            done = co_await refresh_all();
        } else {
            done = co_await follow();
        }
        attempted_ = true;
        attempt_.notify_all();
        if (done) {
            failures = 0;
            continue;
        }
        if (done.error().code == base::Code::cancelled) co_return;
        ++failures;
        // A hub that is away is the link's news and is told there.
        if (link_.up()) {
            base::log::write(base::log::Level::warning, base::events::scope_failed, done.error(),
                             {{"doing", "fetching the device scope"}});
            const bool slept = co_await net::sleep_for(backoff(failures));
            if (!slept) co_return;
        }
    }
}

net::Task<> ScopeSync::first_attempt(std::chrono::milliseconds limit) {
    if (!attempted_) co_await attempt_.wait(limit);
}

net::Task<base::Status> ScopeSync::refresh_all() {
    // The number first: what changes while the pages come is then among the changes behind it.
    SP_TRY(co_return, const auto start, co_await hub_.changes(0, std::chrono::seconds(0)));
    SP_TRY(co_return, const auto records, co_await hub_.whole_scope());
    SP_TRY(co_return, auto certificates, co_await hub_.certificates(std::chrono::seconds(30)));
    unknown_.clear();
    whole_ = false;
    const auto next = scope_.get()
                          ->with_all(records)
                          ->with_certificates(std::move(certificates))
                          ->confirmed_at(clock_.now(), start.version);
    base::log::info(base::events::scope_refreshed,
                    {{"records", std::to_string(records.size())},
                     {"ca_certificates", std::to_string(next->certificates().size())},
                     {"version", std::to_string(start.version)}});
    publish(next, {true, {}});
    co_return base::Status{};
}

net::Task<base::Status> ScopeSync::follow() {
    // A hub that has just come back is asked for a quick answer, so that everybody else hears of it at once.
    const auto wait = link_.up() ? held : std::chrono::seconds(0);
    SP_TRY(co_return, auto changes, co_await hub_.changes(scope_.get()->version(), wait));
    if (changes.all || changes.identities.size() > most_single) {
        whole_ = true;
        co_return base::Status{};
    }
    if (changes.certificates) {
        SP_TRY(co_return, auto certificates, co_await hub_.certificates(std::chrono::seconds(30)));
        base::log::info(base::events::scope_changed,
                        {{"ca_certificates", std::to_string(certificates.size())}});
        publish(scope_.get()->with_certificates(std::move(certificates)), {true, {}});
    }
    auto taken = co_await take_over(std::move(changes.identities));
    if (!taken) co_return taken;
    // "Not in scope" is remembered until here; who was adopted a moment ago is asked for again.
    unknown_.clear();
    publish(scope_.get()->confirmed_at(clock_.now(), changes.version), {});
    co_return base::Status{};
}

net::Task<base::Status> ScopeSync::take_over(std::vector<trust::Identity> identities) {
    for (const auto& identity : identities) {
        const trust::Identity asked = identity;
        auto answer = co_await hub_.identity(asked, std::chrono::seconds(30));
        if (!answer && answer.error().code == base::Code::malformed) {
            // One record that cannot be read costs nobody else (gateway.md 2.6).
            base::log::write(base::log::Level::warning, base::events::scope_discarded, answer.error(),
                             {{"identity", asked.text()}});
            continue;
        }
        if (!answer) co_return std::unexpected(std::move(answer).error());
        base::log::info(base::events::scope_changed,
                        {{"identity", asked.text()},
                         {"now", answer->kind == HubAnswer::Kind::in_scope ? "in scope" : "not in scope"}});
        if (answer->kind == HubAnswer::Kind::in_scope) {
            const auto known = scope_.get()->find({asked.device, ""});
            put(answer->records);
            const auto device = scope_.get()->find({asked.device, ""});
            // An edge device that is new here, or enabled again, brings children of its own.
            if (device && is_open_edge(*device) && !(known && is_open_edge(*known))) whole_ = true;
        } else {
            drop(asked);
        }
    }
    co_return base::Status{};
}

void ScopeSync::put(const std::vector<trust::Record>& records) {
    ScopeChange change;
    for (const auto& record : records) {
        unknown_.erase(record.identity);
        change.devices.push_back(record.identity.device);
        // Whoever lies under a child edge device depends on it.
        if (record.edge_enabled) change.everybody = true;
    }
    publish(scope_.get()->with(records), change);
}

void ScopeSync::drop(const trust::Identity& identity) {
    if (unknown_.size() >= most_unknown) unknown_.clear();
    unknown_.insert(identity);
    const auto known = scope_.get()->find(identity);
    if (!known) return;
    publish(scope_.get()->without(identity), {known->edge_enabled, {identity.device}});
}

void ScopeSync::publish(std::shared_ptr<const ScopeCache> next, const ScopeChange& change) {
    const auto before = scope_.get();
    scope_.set(next);
    store_.save(owner_, before, next);
    if (observer_ && (change.everybody || !change.devices.empty())) observer_(change);
}

bool ScopeSync::take_permit() {
    const auto now = Steady::now();
    const std::chrono::duration<double> passed = now - permits_at_;
    permits_at_ = now;
    permits_ = std::min(lookup_burst, permits_ + passed.count() * lookups_per_second);
    if (permits_ < 1) return false;
    permits_ -= 1;
    return true;
}

void ScopeSync::lookup(const trust::Identity& identity, bool fresh, std::function<void(Lookup)> done) {
    if (stopped_) return done(Lookup::unreachable);
    if (!fresh && unknown_.contains(identity)) return done(Lookup::not_in_scope);
    if (!link_.up()) return done(Lookup::unreachable);
    if (const auto under_way = looking_.find(identity); under_way != looking_.end()) {
        under_way->second.push_back(std::move(done));
        return;
    }
    if (!take_permit()) return done(Lookup::rate_limited);
    looking_[identity].push_back(std::move(done));
    tasks_.spawn("scope.lookup", look(identity));
}

net::Task<> ScopeSync::look(trust::Identity identity) {
    const auto answer = co_await hub_.identity(identity, lookup_limit);
    auto outcome = Lookup::unreachable;
    if (answer && answer->kind == HubAnswer::Kind::in_scope) {
        put(answer->records);
        outcome = Lookup::in_scope;
    } else if (answer) {
        drop(identity);
        outcome = Lookup::not_in_scope;
    }
    auto waiting = looking_.extract(identity);
    if (waiting.empty()) co_return;
    for (auto& done : waiting.mapped()) done(outcome);
}

}  // namespace gateway
