// SPDX-License-Identifier: Apache-2.0
#include "pki/path_builder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pki/certificate_checks.hpp"
#include "pki/checks.hpp"
#include "pki/key_strength.hpp"
#include "pki/name_constraints.hpp"
#include "pki/openssl.hpp"
#include "pki/revocation.hpp"

namespace pki {
namespace {

// Of all paths that fail, the one that is whole but revoked says most.
constexpr int revoked_quality = 1000;

// How well an issuer's key identifier fits. It is a hint for the order and never a reason to refuse:
// identifiers may be missing or wrong in certificates that are otherwise good.
int key_identifier_rank(const Certificate& child, const Certificate& issuer) {
    const ASN1_OCTET_STRING* wanted = X509_get0_authority_key_id(child.handle());
    const ASN1_OCTET_STRING* offered = X509_get0_subject_key_id(issuer.handle());
    if (!wanted || !offered) return 1;
    return ASN1_OCTET_STRING_cmp(wanted, offered) == 0 ? 0 : 2;
}

bool same_subject_and_key(const Certificate& a, const Certificate& b) {
    if (X509_NAME_cmp(X509_get_subject_name(a.handle()), X509_get_subject_name(b.handle())) != 0)
        return false;
    const EVP_PKEY* key_a = X509_get0_pubkey(a.handle());
    const EVP_PKEY* key_b = X509_get0_pubkey(b.handle());
    const bool same = key_a && key_b && EVP_PKEY_eq(key_a, key_b) == 1;
    clear_openssl_errors();
    return same;
}

std::vector<Certificate> further_certificates(const VerifyInput& input) {
    std::vector<Certificate> all;
    if (input.chain.size() > 1) all.assign(input.chain.begin() + 1, input.chain.end());
    if (input.intermediates) all.insert(all.end(), input.intermediates->begin(), input.intermediates->end());
    return all;
}

}  // namespace

PathBuilder::PathBuilder(const VerifyInput& input, std::string common_name, Budget& budget)
    : input_(input),
      common_name_(std::move(common_name)),
      budget_(budget),
      presented_(further_certificates(input)) {
    const Certificate& leaf = input.chain.front();
    path_.push_back({&leaf, leaf.is_self_issued(), std::nullopt});
}

Chain PathBuilder::build(Verdict& verdict) {
    if (extend()) {
        Chain path;
        for (const auto& each : path_) path.push_back(*each.certificate);
        verdict.append(std::move(verdict_));
        return path;
    }
    if (budget_.exhausted()) {
        if (!best_) remember(nullptr, 0);
        const bool signatures = budget_.signatures_exhausted();
        best_->steps.push_back(
            {checks::path_budget, -1, Outcome::failed,
             signatures ? fmt::format("a path within {} signature checks", Budget::most_signatures)
                        : fmt::format("a decision within {} comparisons of names", Budget::most_comparisons),
             "more were needed: the search was given up"});
    }
    verdict.append(Verdict{std::move(best_->steps)});
    return std::move(best_->path);
}

bool PathBuilder::extend() {
    if (input_.trust.by_subject().contains(last())) {
        verdict_.pass(checks::path_anchor, link() - 1, "a certificate of the trust bundle",
                      subject_text(last()));
        std::vector<const Certificate*> path;
        for (const auto& each : path_) path.push_back(each.certificate);
        if (check_revocation(path, input_, verdict_)) return true;
        remember(nullptr, revoked_quality);
        return false;
    }
    if (path_.size() > Budget::most_depth) {
        verdict_.fail(checks::path_budget, link() - 1,
                      fmt::format("a trust anchor within {} issuers above the leaf", Budget::most_depth),
                      "a longer chain of issuers");
        remember(nullptr, 0);
        verdict_.steps.pop_back();
        return false;
    }
    const auto all = candidates();
    if (all.empty()) {
        report_no_issuer();
        return false;
    }
    for (const auto& candidate : all) {
        if (!budget_.take_comparison()) return false;
        const auto mark = verdict_.steps.size();
        if (check_issuer(candidate)) {
            path_.push_back({candidate.certificate, candidate.certificate->is_self_issued(), std::nullopt});
            if (extend()) return true;
            path_.pop_back();
        }
        if (budget_.exhausted()) return false;
        verdict_.steps.resize(mark);
    }
    return false;
}

std::vector<PathBuilder::Candidate> PathBuilder::candidates() const {
    const X509_NAME* wanted = X509_get_issuer_name(last().handle());
    std::vector<Candidate> all;
    const auto add = [&](const Certificate& one, Source source) {
        if (is_in_path(one)) return;
        const bool dated = one.not_before() <= input_.now && input_.now <= one.not_after();
        const int rank =
            key_identifier_rank(last(), one) * 4 + (dated ? 0 : 2) + (source == Source::anchor ? 0 : 1);
        all.push_back({&one, source, rank});
    };
    for (const auto& one : input_.trust.by_subject().find(wanted)) add(one, Source::anchor);
    for (const auto& one : presented_.find(wanted))
        if (!input_.trust.by_subject().contains(one)) add(one, Source::presented);
    std::ranges::stable_sort(all, {}, &Candidate::rank);
    return all;
}

// A path that meets a name with its key again can be cut short at no loss, so a loop is never needed.
bool PathBuilder::is_in_path(const Certificate& certificate) const {
    return std::ranges::any_of(path_, [&](const Link& each) {
        return *each.certificate == certificate || same_subject_and_key(*each.certificate, certificate);
    });
}

bool PathBuilder::check_issuer(const Candidate& candidate) {
    const Certificate& issuer = *candidate.certificate;
    const auto before = verdict_.steps.size();
    verdict_.pass(checks::path_issuer, link(), subject_text(issuer),
                  fmt::format("{}, {}", subject_text(issuer),
                              candidate.source == Source::anchor ? "in the trust bundle" : "presented"));
    bool good = check_form(issuer, link(), verdict_);
    good &= check_critical_extensions(issuer, link(), verdict_);
    good &= check_validity(issuer, link(), input_.now, verdict_);
    good &= check_key_strength(issuer, link(), verdict_);
    good &= check_ca(issuer, link(), issuers_not_self_issued(), input_.purpose, verdict_);
    good &= check_names(issuer);
    const bool signed_well = check_signature(issuer, good);
    if (good && signed_well) return true;

    // A wrong key says less about what to repair than a date or a constraint does.
    int quality = candidate.source == Source::anchor ? 5 : 0;
    for (auto step = verdict_.steps.begin() + static_cast<std::ptrdiff_t>(before);
         step != verdict_.steps.end(); ++step)
        if (step->outcome == Outcome::failed) quality -= step->check == checks::path_signature ? 15 : 10;
    verdict_.skip(checks::path_anchor, -1, "a path to a certificate of the trust bundle");
    remember(&issuer, quality);
    return false;
}

bool PathBuilder::check_names(const Certificate& issuer) {
    const auto constraints = NameConstraints::of(issuer);
    if (!constraints) return true;
    if (!constraints->malformed().empty()) {
        verdict_.fail(checks::path_name_constraints, link(), "well-formed name constraints",
                      constraints->malformed());
        return false;
    }
    for (std::size_t at = 0; at < path_.size(); ++at) {
        Link& below = path_[at];
        if (at != 0 && below.self_issued) continue;  // RFC 5280 6.1.3 (b)
        if (!below.names) below.names = certificate_names(*below.certificate);
        auto finding = constraints->check(*below.names, budget_);
        if (finding.answer == NameConstraints::Answer::allowed && at == 0 && !common_name_.empty())
            finding = constraints->check_dns(common_name_, budget_);
        switch (finding.answer) {
            case NameConstraints::Answer::out_of_budget:
                verdict_.skip(checks::path_name_constraints, link(), constraints->text());
                return false;
            case NameConstraints::Answer::refused:
                verdict_.fail(checks::path_name_constraints, link(), std::move(finding.expected),
                              fmt::format("{} in {}", finding.found,
                                          at == 0 ? std::string("the leaf") : fmt::format("link {}", at)));
                return false;
            case NameConstraints::Answer::allowed:
                if (!finding.warning.empty())
                    verdict_.warn(checks::path_name_constraints, link(), constraints->text(),
                                  std::move(finding.warning));
                break;
        }
    }
    verdict_.pass(checks::path_name_constraints, link(), constraints->text(),
                  fmt::format("all names below within {}", constraints->text()));
    return true;
}

bool PathBuilder::check_signature(const Certificate& issuer, bool worth_it) {
    const int child = link() - 1;
    const auto strength = signature_strength(last());
    std::string expected = "signed by the key of " + subject_text(issuer);
    if (!strength.enough)
        verdict_.fail(checks::path_signature_algorithm, child, "SHA-224 or better", strength.description);
    else
        verdict_.pass(checks::path_signature_algorithm, child, "SHA-224 or better", strength.description);
    // A signature costs more than all else together; it is not worth it where the path has failed already.
    if (!worth_it || !strength.enough || !budget_.take_signature()) {
        verdict_.skip(checks::path_signature, child, std::move(expected));
        return false;
    }
    EVP_PKEY* key = X509_get0_pubkey(issuer.handle());
    const bool good = key && X509_verify(last().handle(), key) == 1;
    clear_openssl_errors();
    if (good)
        verdict_.pass(checks::path_signature, child, expected, expected);
    else
        verdict_.fail(checks::path_signature, child, std::move(expected),
                      "a signature that does not verify with it");
    return good;
}

// Texts of names are made once each: a hostile chain offers the same long name again and again.
const std::string& PathBuilder::subject_text(const Certificate& certificate) {
    auto& text = subject_texts_[&certificate];
    if (text.empty()) text = shortened(certificate.subject());
    return text;
}

int PathBuilder::issuers_not_self_issued() const {
    return static_cast<int>(
        std::count_if(path_.begin() + 1, path_.end(), [](const Link& each) { return !each.self_issued; }));
}

void PathBuilder::report_no_issuer() {
    const auto mark = verdict_.steps.size();
    if (path_.back().self_issued) {
        verdict_.fail(checks::path_anchor, link() - 1,
                      input_.trust.empty() ? "a certificate of the trust bundle, which is empty"
                                           : fmt::format("one of the {} certificates of the trust bundle",
                                                         input_.trust.anchors().size()),
                      fmt::format("{}, self-signed and not in the bundle", subject_text(last())));
    } else {
        verdict_.fail(checks::path_issuer, link(),
                      "a certificate with the subject " + shortened(last().issuer()),
                      "none among those presented or in the trust bundle");
        verdict_.skip(checks::path_anchor, -1, "a path to a certificate of the trust bundle");
    }
    remember(nullptr, -100);
    verdict_.steps.resize(mark);
}

void PathBuilder::remember(const Certificate* failed, int quality) {
    if (best_ && (best_->depth > path_.size() || (best_->depth == path_.size() && best_->quality >= quality)))
        return;
    Attempt attempt{verdict_.steps, {}, path_.size(), quality};
    for (const auto& each : path_) attempt.path.push_back(*each.certificate);
    if (failed) attempt.path.push_back(*failed);
    best_ = std::move(attempt);
}

}  // namespace pki
