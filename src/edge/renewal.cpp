// SPDX-License-Identifier: Apache-2.0
#include "edge/renewal.hpp"

#include <algorithm>
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/clock_watch.hpp"
#include "pki/digest.hpp"

namespace edge {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// Whoever has to register a certificate shall not wait for days until that is seen.
constexpr hours longest_for_registration{1};
// A certificate that is due again at once, because its issuer ends, is not made again and again.
constexpr minutes shortest_life{1};
// Who issues has a pace of its own, and says at once that it is too early.
constexpr minutes between_questions{1};
constexpr hours between_warnings{24};

double random_share() {
    const auto octets = pki::random_bytes(2);
    const auto number = (std::to_integer<unsigned>(octets[0]) << 8) | std::to_integer<unsigned>(octets[1]);
    return number / 65536.0;
}

bool is_refusal(const base::Error& why) {
    return why.code == base::Code::permission_denied;
}

bool is_early(const base::Error& why) {
    return why.code == base::Code::rate_limited;
}

}  // namespace

Renewal::Renewal(RenewalSubject subject, KeysClient keys, CertificatesClient certificates,
                 const base::Clock& clock)
    : subject_(std::move(subject)),
      pair_(subject_.id, std::move(keys), std::move(certificates), subject_.previous_id),
      clock_(clock) {}

net::Task<> Renewal::run() {
    wake_.emplace();
    // What was reckoned by a clock that was wrong is reckoned anew.
    const net::ClockWatch clock_watch([this] { wake(); });
    while (!stopping_) {
        const auto next = co_await step();
        if (stopping_) break;
        co_await wake_->wait_until(next, clock_);
    }
}

void Renewal::stop() {
    stopping_ = true;
    release(for_first_);
    release(for_settled_);
    wake();
}

void Renewal::wake() {
    if (wake_) wake_->notify();
}

void Renewal::release(std::vector<net::Completion>& waiting) {
    for (const auto& each : std::exchange(waiting, {})) each.complete();
}

void Renewal::suspect() {
    if (!std::exchange(whole_, false)) return;
    wake();
}

net::Task<> Renewal::first_step() {
    if (stepped_ || stopping_) co_return;
    const net::Completion completion;
    for_first_.push_back(completion);
    co_await completion.wait();
}

net::Task<> Renewal::next_step() {
    if (!wake_ || stopping_) co_return;
    const net::Completion completion;
    for_first_.push_back(completion);
    wake();
    co_await completion.wait();
}

net::Task<> Renewal::settled() {
    if (!changing_ || stopping_) co_return;
    const net::Completion completion;
    for_settled_.push_back(completion);
    co_await completion.wait();
}

net::Task<base::Instant> Renewal::step() {
    // How soon a key that was lost, or a file that was replaced, is noticed.
    constexpr hours between_looks{1};
    next_ = clock_.now() + between_looks;
    auto done = co_await look();
    if (!done)
        next_ = after_failure(done.error());
    else if (is_held())
        next_ = std::min(next_, retry_at_);
    else
        failures_ = 0;
    stepped_ = true;
    release(for_first_);
    co_return next_;
}

// A clock that was set back does not hold anything for longer than the pause was.
bool Renewal::is_held() const {
    const auto now = clock_.now();
    return failures_ > 0 && now < retry_at_ && retry_at_ <= now + pause_;
}

base::Instant Renewal::after_failure(const base::Error& why) {
    ++failures_;
    const auto now = clock_.now();
    const auto policy = subject_.policy.value_or(RenewalPolicy{});
    auto pause = renewal_pause(policy, in_use_, failures_, now, random_share());
    if (is_refusal(why)) pause = std::min<std::chrono::seconds>(pause, longest_for_registration);
    const bool expired = in_use_ && in_use_->not_after <= now;
    auto level = expired || !in_use_ ? base::log::Level::error : base::log::Level::warning;
    if (is_early(why)) {
        pause = std::min<std::chrono::seconds>(pause, between_questions);
        // Said once; the log has each answer of the server.
        if (failures_ > 1) level = base::log::Level::debug;
    }
    const auto ends = in_use_ ? base::format_rfc3339(in_use_->not_after) : "unknown";
    base::log::write(level, base::events::certificate_renewal_failed, why,
                     {{"certificate", subject_.thing},
                      {"not_after", ends},
                      {"attempt", std::to_string(failures_)},
                      {"next_attempt", base::format_rfc3339(now + pause)}});
    pause_ = pause;
    retry_at_ = now + pause;
    return retry_at_;
}

void Renewal::note(std::string_view event, const pki::Certificate& certificate) {
    const auto due = subject_.policy && !subject_.supplied
                         ? base::format_rfc3339(renewal_due(*subject_.policy, validity_of(certificate)))
                         : "never";
    noted_ = certificate.sha256();
    base::log::info(event, {{"certificate", subject_.thing},
                            {"subject", certificate.subject()},
                            {"issuer", certificate.issuer()},
                            {"thumbprint", base::to_hex_upper(certificate.sha256())},
                            {"not_after", base::format_rfc3339(certificate.not_after())},
                            {"renewal", due}});
}

net::Task<base::Status> Renewal::look() {
    auto found = co_await pair_.look();
    if (!found) co_return std::unexpected(std::move(found).error());
    if (!subject_.supplied) {
        found = co_await repaired(*std::move(found));
        if (!found) co_return std::unexpected(std::move(found).error());
        // Nothing depends on it, and the next look tries again.
        auto tidied = co_await pair_.forget_expired(clock_.now());
    }
    const auto& state = *found;
    whole_ = state.facts.in_use;
    in_use_ = whole_ ? std::optional(validity_of(state.chain->front())) : std::nullopt;
    if (!whole_ && subject_.supplied)
        co_return base::fail(
            state.chain ? base::Code::invalid_argument : base::Code::not_found, subject_.thing,
            state.chain ? "does not belong to its private key" : "does not exist", subject_.fix);
    base::Status done;
    if (!whole_ && is_held()) co_return done;
    if (!whole_ && state.chain)
        done = co_await replace(*std::move(found));
    else if (!whole_)
        done = co_await make();
    else {
        const auto certificate = state.chain->front();
        if (noted_ != certificate.sha256()) note(base::events::certificate_used, certificate);
        if (subject_.supplied || !subject_.policy) {
            watch(certificate);
            co_return done;
        }
        const auto due = renewal_due(*subject_.policy, *in_use_);
        if (clock_.now() < due && !is_ahead(*in_use_, clock_.now())) {
            next_ = std::min(next_, due);
            co_return done;
        }
        if (!is_held()) done = co_await renew(*std::move(found));
    }
    co_return done;
}

// What is in use from now on.
void Renewal::adopt(std::string_view event, const pki::Certificate& certificate) {
    whole_ = true;
    in_use_ = validity_of(certificate);
    note(event, certificate);
    if (subject_.policy)
        next_ =
            std::min(next_, std::max(renewal_due(*subject_.policy, *in_use_), clock_.now() + shortest_life));
    if (subject_.changed) subject_.changed(certificate);
}

void Renewal::begin_change() {
    changing_ = true;
    ++changes_;
}

void Renewal::end_change() {
    ++changes_;
    changing_ = false;
    release(for_settled_);
}

// Nothing can be done here but to tell, in time and then every day.
void Renewal::watch(const pki::Certificate& certificate) {
    const auto now = clock_.now();
    const auto policy = subject_.policy.value_or(RenewalPolicy{});
    const auto due = renewal_due(policy, validity_of(certificate));
    if (now < due) {
        next_ = std::min(next_, due);
        return;
    }
    const auto end = certificate.not_after();
    if (now < end) next_ = std::min(next_, end);
    const bool ended_since = warned_ < end && now >= end;
    if (now < warned_ + between_warnings && !ended_since) return;
    warned_ = now;
    const auto event = now < end ? base::events::certificate_expiring : base::events::certificate_expired;
    base::log::write(now < end ? base::log::Level::warning : base::log::Level::error, event,
                     {{"certificate", subject_.thing},
                      {"subject", certificate.subject()},
                      {"not_after", base::format_rfc3339(end)},
                      {"fix", subject_.fix}});
}

net::Task<base::Result<CertificatePair::State>> Renewal::repaired(CertificatePair::State state) {
    const auto repair = repair_of(state.facts);
    if (repair == PairRepair::nothing || repair == PairRepair::key_lost || repair == PairRepair::make)
        co_return state;
    begin_change();
    auto done = co_await pair_.repair(std::move(state));
    end_change();
    if (done && done->facts.in_use) note(base::events::certificate_repaired, done->chain->front());
    co_return done;
}

net::Task<base::Status> Renewal::make() {
    auto wish = co_await subject_.wish();
    if (!wish) co_return std::unexpected(std::move(wish).error());
    ++changes_;
    auto made = co_await pair_.make(*std::move(wish), subject_.algorithms);
    ++changes_;
    if (!made) co_return std::unexpected(std::move(made).error());
    adopt(base::events::certificate_made, made->front());
    co_return base::Status{};
}

// The key is gone and its certificate is of no use any more: nothing is lost by not asking anybody.
net::Task<base::Status> Renewal::replace(CertificatePair::State state) {
    const base::Error lost{base::Code::not_found, "private key of the " + subject_.thing,
                           "is lost, or is not that of " + state.chain->front().subject(),
                           "nothing to do: both are made anew"};
    base::log::error(base::events::certificate_key_lost, lost, {{"id", subject_.id}});
    auto wish = co_await subject_.wish();
    if (!wish) co_return std::unexpected(std::move(wish).error());
    auto next = co_await pair_.make_next(*std::move(wish), subject_.algorithms, true);
    if (!next) co_return std::unexpected(std::move(next).error());
    auto done = co_await take(*std::move(next));
    co_return done;
}

net::Task<base::Status> Renewal::renew(CertificatePair::State state) {
    const auto& policy = *subject_.policy;
    const auto old = state.chain->front();
    // What was issued while the clock was ahead outlives whatever is right.
    const bool ahead = is_ahead(validity_of(old), clock_.now());
    const auto is_better = [&](const pki::Certificate& next) {
        return ahead ? !is_ahead(validity_of(next), clock_.now()) : next.not_after() > old.not_after();
    };
    // One that was made before a restart, or that waits to be registered, is still the next one.
    const bool ready = !state.next_key.empty() && is_better(state.next->front()) &&
                       clock_.now() < renewal_due(policy, validity_of(state.next->front()));
    if (!ready) {
        auto wish = co_await subject_.wish();
        if (!wish) co_return std::unexpected(std::move(wish).error());
        auto next = co_await pair_.make_next(*std::move(wish), subject_.algorithms, policy.rotate_key);
        if (!next) co_return std::unexpected(std::move(next).error());
        state = *std::move(next);
    }
    const auto next = state.next->front();
    if (!is_better(next))
        co_return base::fail(base::Code::invalid_argument, subject_.thing,
                             "would end no later than the one in use, with its issuer " + next.issuer(),
                             "renew that issuer first");
    if (subject_.accepted) {
        const auto key = state.next_key;
        auto taken = co_await subject_.accepted(pair_.next_id(), key, next);
        if (!taken) co_return taken;
    }
    auto done = co_await take(std::move(state));
    co_return done;
}

net::Task<base::Status> Renewal::take(CertificatePair::State state) {
    const auto next = state.next->front();
    begin_change();
    auto done = co_await pair_.take_over(std::move(state));
    end_change();
    if (done) adopt(base::events::certificate_renewed, next);
    co_return done;
}

}  // namespace edge
