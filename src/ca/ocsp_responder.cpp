// SPDX-License-Identifier: Apache-2.0
#include "ca/ocsp_responder.hpp"

#include <algorithm>
#include <utility>

#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "pki/callback_key.hpp"

namespace ca {
namespace {

constexpr std::chrono::hours answer_life{1};
constexpr std::size_t most_kept = 10'000;

OcspResponder::Answer refusal(pki::OcspRefusal why) {
    return {pki::ocsp_refusal(why)};
}

}  // namespace

OcspResponder::OcspResponder(CrlBooks& books, Files files, const base::Clock& clock)
    : books_(books),
      files_(std::move(files)),
      clock_(clock),
      issuer_(books.authorities().front().certificate) {}

base::Result<std::unique_ptr<OcspResponder>> OcspResponder::open(CrlBooks& books, Files files,
                                                                 const base::Clock& clock) {
    std::unique_ptr<OcspResponder> responder(new OcspResponder(books, std::move(files), clock));
    if (auto kept = responder->load())
        responder->identity_ = std::make_shared<const Identity>(*std::move(kept));
    // A CA that cannot certify a signer now still has CRLs to publish: the answers are "try later".
    if (auto done = responder->renew_if_due(); !done)
        base::log::error(base::events::ocsp_responder_failed, done.error());
    return responder;
}

std::optional<OcspResponder::Identity> OcspResponder::load() const {
    const auto text = base::read_file(files_.certificate, "OCSP certificate");
    if (!text) return std::nullopt;
    auto certificate = pki::Certificate::from_pem(*text, "OCSP certificate");
    auto key = pki::PrivateKey::load(files_.key.string(), "OCSP key");
    if (!certificate || !key || !key->matches(*certificate)) return std::nullopt;
    const auto issuer = pki::PublicKey::of(books_.authorities().front().certificate);
    if (!pki::is_signed_by(*certificate, issuer)) return std::nullopt;
    return Identity{*std::move(certificate), *std::move(key)};
}

std::shared_ptr<const OcspResponder::Identity> OcspResponder::identity() const {
    const std::lock_guard lock(mutex_);
    return identity_;
}

bool OcspResponder::is_usable(const Identity& identity) const {
    const auto now = clock_.now();
    return identity.certificate.not_before() <= now && now < identity.certificate.not_after();
}

base::Status OcspResponder::renew_if_due() {
    const std::lock_guard one_at_a_time(renewing_);
    if (const auto current = identity(); current && is_usable(*current)) {
        const auto& certificate = current->certificate;
        const auto life = certificate.not_after() - certificate.not_before();
        if (clock_.now() < certificate.not_before() + life * 2 / 3) return {};
    }
    return renew();
}

base::Status OcspResponder::renew() {
    SP_TRY(return, auto key, pki::PrivateKey::generate(pki::KeyType::ec_p256));
    SP_TRY(return, auto certificate, books_.issue_responder(key.public_key()));
    SP_TRY(return, const auto pem, key.pem());
    // A key without its certificate is passed over at the next start, so the order does not matter.
    if (auto done = base::write_atomically(files_.key, pem.text(), base::secret_mode); !done) return done;
    if (auto done = base::write_atomically(files_.certificate, certificate.pem(), base::public_mode); !done)
        return done;
    base::log::info(base::events::ocsp_responder_certified,
                    {{"not_after", base::format_rfc3339(certificate.not_after())}});
    const std::lock_guard lock(mutex_);
    identity_ = std::make_shared<const Identity>(Identity{std::move(certificate), std::move(key)});
    kept_.clear();
    ++generation_;
    return {};
}

void OcspResponder::forget() {
    const std::lock_guard lock(mutex_);
    kept_.clear();
    ++generation_;
}

pki::OcspAnswer OcspResponder::state_of(const pki::OcspCertId& id) const {
    if (!id.serial || !issuer_.is_named_by(id)) return {};
    const auto known = books_.find(id.serial->hex());
    if (!known || known->issuer != books_.authorities().front().name) return {};
    if (!known->revocation) return {.status = pki::OcspAnswer::Status::good};
    return {.status = pki::OcspAnswer::Status::revoked,
            .revoked_at = known->revocation->at,
            .reason = static_cast<int>(known->revocation->reason)};
}

base::Result<OcspResponder::Answer> OcspResponder::sign(const pki::OcspRequest& request, const Identity& by) {
    std::vector<pki::OcspAnswer> answers;
    for (const auto& id : request.ids) answers.push_back(state_of(id));
    const auto now = clock_.now();
    const auto next = std::min<base::Instant>(now + answer_life, by.certificate.not_after());
    Answer answer;
    SP_TRY(return, answer.der,
                 pki::make_ocsp_response({.responder = by.certificate,
                                          .key = by.key,
                                          .produced_at = now,
                                          .this_update = now,
                                          .next_update = next,
                                          .ids = request.ids,
                                          .answers = answers,
                                          .nonce = request.nonce}));
    if (!request.nonce) answer.cacheable = {now, next};
    return answer;
}

OcspResponder::Answer OcspResponder::answer(std::span<const std::byte> bytes) {
    const auto request = pki::read_ocsp_request(bytes);
    if (!request) return refusal(pki::OcspRefusal::malformed_request);
    const bool ours =
        std::ranges::any_of(request->ids, [&](const auto& id) { return issuer_.is_named_by(id); });
    if (!ours) return refusal(pki::OcspRefusal::unauthorized);
    const auto by = identity();
    if (!by || !is_usable(*by)) return refusal(pki::OcspRefusal::try_later);

    const bool keep = !request->nonce && request->ids.size() == 1;
    std::uint64_t generation = 0;
    if (keep) {
        const std::lock_guard lock(mutex_);
        generation = generation_;
        const auto found = kept_.find(request->ids.front().der);
        if (found != kept_.end()) {
            const auto& when = *found->second.cacheable;
            const auto now = clock_.now();
            const auto half = when.produced_at + (when.next_update - when.produced_at) / 2;
            if (when.produced_at <= now && now < half) return found->second;
        }
    }
    auto answer = sign(*request, *by);
    if (!answer) {
        base::log::error(base::events::ocsp_responder_failed, answer.error());
        return refusal(pki::OcspRefusal::internal_error);
    }
    if (keep) {
        const std::lock_guard lock(mutex_);
        // What was looked up before a revocation must not be kept behind it.
        if (generation == generation_) {
            if (kept_.size() >= most_kept) kept_.clear();
            kept_.insert_or_assign(request->ids.front().der, *answer);
        }
    }
    return *std::move(answer);
}

}  // namespace ca
