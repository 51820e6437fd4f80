// SPDX-License-Identifier: Apache-2.0
#include "edge/certificate_pair.hpp"

#include "base/result.hpp"

namespace edge {
namespace {

bool matches(const std::optional<pki::PrivateKey>& key, const std::optional<pki::Chain>& chain) {
    return key && chain && key->matches(chain->front());
}

/// A certificate under `id` for the key that the handle names.
net::Task<base::Result<pki::Chain>> certify(KeysClient keys, CertificatesClient certificates,
                                            std::string handle, pki::CsrWish wish, std::string id) {
    auto key = co_await keys.private_key(std::move(handle));
    if (!key) co_return std::unexpected(std::move(key).error());
    auto csr = pki::make_csr_pem(wish, *key);
    if (!csr) co_return std::unexpected(std::move(csr).error());
    auto made = co_await certificates.create(std::move(id), *std::move(csr), std::nullopt);
    co_return made;
}

}  // namespace

PairRepair repair_of(const PairFacts& facts) {
    if (facts.in_use) return PairRepair::nothing;
    if (facts.with_next_key) return PairRepair::move_key;
    if (facts.next_with_key) return PairRepair::import_certificate;
    if (facts.next_with_next) return PairRepair::take_next;
    return facts.certificate ? PairRepair::key_lost : PairRepair::make;
}

net::Task<base::Result<std::optional<pki::Chain>>> CertificatePair::chain_of(std::string id) const {
    auto chain = co_await certificates_.read_chain(std::move(id));
    if (chain) co_return std::optional(*std::move(chain));
    if (chain.error().code == base::Code::not_found) co_return std::nullopt;
    co_return std::unexpected(std::move(chain).error());
}

net::Task<base::Result<std::optional<pki::PrivateKey>>> CertificatePair::key_of(std::string id) const {
    auto handle = co_await keys_.load_pair(std::move(id));
    if (!handle && handle.error().code == base::Code::not_found) co_return std::nullopt;
    if (!handle) co_return std::unexpected(std::move(handle).error());
    auto key = co_await keys_.private_key(*handle);
    if (!key) co_return std::unexpected(std::move(key).error());
    co_return std::optional(*std::move(key));
}

net::Task<base::Result<CertificatePair::State>> CertificatePair::look() const {
    State state;
    auto chain = co_await chain_of(id_);
    if (!chain) co_return std::unexpected(std::move(chain).error());
    state.chain = *std::move(chain);
    auto next = co_await chain_of(next_id());
    if (!next) co_return std::unexpected(std::move(next).error());
    state.next = *std::move(next);
    auto key = co_await key_of(id_);
    if (!key) co_return std::unexpected(std::move(key).error());
    auto next_key = co_await key_of(next_id());
    if (!next_key) co_return std::unexpected(std::move(next_key).error());
    state.facts = {state.chain.has_value(), matches(*key, state.chain), matches(*next_key, state.chain),
                   matches(*key, state.next), matches(*next_key, state.next)};
    if (state.facts.next_with_key) state.next_key = id_;
    if (state.facts.next_with_next) state.next_key = next_id();
    co_return state;
}

net::Task<base::Result<pki::Chain>> CertificatePair::make(pki::CsrWish wish, std::string algorithms) const {
    auto handle = co_await keys_.create_pair(id_, std::move(algorithms));
    if (!handle) co_return std::unexpected(std::move(handle).error());
    auto made = co_await certify(keys_, certificates_, *std::move(handle), std::move(wish), id_);
    co_return made;
}

// A key that got no certificate yet is used again: a request that waits for an operator is for it.
net::Task<base::Status> CertificatePair::forget_next() const {
    auto next = co_await chain_of(next_id());
    if (!next) co_return std::unexpected(std::move(next).error());
    if (!*next) co_return base::Status{};
    auto removed = co_await certificates_.remove(next_id());
    if (!removed) co_return removed;
    auto handle = co_await keys_.load_pair(next_id());
    if (!handle && handle.error().code == base::Code::not_found) co_return base::Status{};
    if (!handle) co_return std::unexpected(std::move(handle).error());
    auto gone = co_await keys_.remove_pair(*std::move(handle));
    co_return gone;
}

net::Task<base::Result<CertificatePair::State>> CertificatePair::make_next(pki::CsrWish wish,
                                                                           std::string algorithms,
                                                                           bool rotate_key) const {
    auto forgotten = co_await forget_next();
    if (!forgotten) co_return std::unexpected(std::move(forgotten).error());
    base::Result<std::string> handle = std::string();
    if (rotate_key)
        handle = co_await keys_.create_pair(next_id(), std::move(algorithms));
    else
        handle = co_await keys_.load_pair(id_);
    if (!handle) co_return std::unexpected(std::move(handle).error());
    auto made = co_await certify(keys_, certificates_, *std::move(handle), std::move(wish), next_id());
    if (!made) co_return std::unexpected(std::move(made).error());
    auto state = co_await look();
    if (!state) co_return std::unexpected(std::move(state).error());
    if (state->next_key != (rotate_key ? next_id() : id_))
        co_return base::fail(base::Code::internal, "certificate " + next_id(),
                             "does not belong to the key that it was asked for");
    co_return state;
}

net::Task<base::Status> CertificatePair::take_over(State state) const {
    if (!previous_id_.empty() && state.chain && state.chain->front().is_self_issued()) {
        const auto previous = state.chain->front().pem();
        auto kept = co_await certificates_.import(previous_id_, previous);
        if (!kept) co_return kept;
    }
    const auto pem = pki::to_pem(*state.next);
    auto imported = co_await certificates_.import(id_, pem);
    if (!imported) co_return imported;
    if (state.next_key == next_id()) {
        auto moved = co_await keys_.move_pair(next_id(), id_);
        if (!moved) {
            // Where this fails too, or the move was done and only its answer was lost, the next look repairs.
            if (state.facts.in_use) {
                const auto old = pki::to_pem(*state.chain);
                auto back = co_await certificates_.import(id_, old);
            }
            co_return moved;
        }
    }
    // A left-over does no harm, and the next renewal takes it away.
    auto removed = co_await certificates_.remove(next_id());
    co_return base::Status{};
}

net::Task<base::Status> CertificatePair::forget_expired(base::Instant now) const {
    if (previous_id_.empty()) co_return base::Status{};
    auto previous = co_await chain_of(previous_id_);
    if (!previous) co_return std::unexpected(std::move(previous).error());
    if (!*previous || (*previous)->front().not_after() > now) co_return base::Status{};
    auto removed = co_await certificates_.remove(previous_id_);
    co_return removed;
}

net::Task<base::Result<CertificatePair::State>> CertificatePair::repair(State state) const {
    base::Status done;
    switch (repair_of(state.facts)) {
        case PairRepair::move_key:
            done = co_await keys_.move_pair(next_id(), id_);
            break;
        case PairRepair::import_certificate:
        case PairRepair::take_next:
            done = co_await take_over(std::move(state));
            break;
        default:
            co_return state;
    }
    if (!done) co_return std::unexpected(std::move(done).error());
    auto after = co_await look();
    co_return after;
}

}  // namespace edge
