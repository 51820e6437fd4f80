// SPDX-License-Identifier: Apache-2.0
#include "pki/revocation.hpp"

#include <fmt/format.h>

#include "pki/certificate_names.hpp"
#include "pki/checks.hpp"
#include "pki/openssl.hpp"

namespace pki {
namespace {

/// The newest CRL that an issuer has signed, and what the CRLs of it say of one certificate.
struct Answer {
    const Crl* newest = nullptr;
    const Crl* revoking = nullptr;
    const RevokedSerial* entry = nullptr;
};

Answer ask(const Certificate& certificate, std::span<const Certificate> issuers, const CrlSet& crls) {
    Answer answer;
    const auto serial = Serial::of(certificate);
    for (const auto* crl : crls.of(X509_get_issuer_name(certificate.handle()))) {
        bool good = false;
        for (const auto& issuer : issuers) good = good || crl->check_issuer(issuer).has_value();
        if (!good) continue;
        if (!answer.newest || crl->supersedes(*answer.newest)) answer.newest = crl;
        const auto* entry = serial ? crl->find(*serial) : nullptr;
        if (entry && (!answer.revoking || crl->supersedes(*answer.revoking))) {
            answer.revoking = crl;
            answer.entry = entry;
        }
    }
    // A hold that was lifted is in the older one alone.
    if (answer.revoking && answer.revoking != answer.newest) answer.entry = nullptr;
    return answer;
}

std::string number_text(const Crl& crl) {
    return fmt::format("CRL {}of {}", crl.number().empty() ? "" : "0x" + crl.number() + " ",
                       base::format_rfc3339(crl.this_update()));
}

bool check_one(const Certificate& certificate, int link, std::span<const Certificate> issuers,
               const VerifyInput& input, bool is_anchor, Verdict& verdict) {
    const auto answer = ask(certificate, issuers, *input.crls);
    auto expected = "not revoked by " + shortened(certificate.issuer());
    if (!answer.newest) {
        if (is_anchor) return true;
        if (input.crl_max_age && !input.crls->complete()) {
            verdict.fail(checks::path_revocation, link, std::move(expected),
                         "no CRL of it, and not every source of CRLs has been reached yet");
            return false;
        }
        verdict.skip(checks::path_revocation, link, std::move(expected) + ", whose CRL is not known");
        return true;
    }
    if (answer.entry) {
        verdict.fail(checks::path_revocation, link, std::move(expected),
                     fmt::format("revoked at {}, {} ({})", base::format_rfc3339(answer.entry->at),
                                 crl_reason_text(answer.entry->reason), number_text(*answer.revoking)));
        return false;
    }
    const auto age = input.now - answer.newest->this_update();
    auto found = fmt::format("not in {}", number_text(*answer.newest));
    if (input.crl_max_age && age > *input.crl_max_age) {
        verdict.fail(checks::path_revocation, link, std::move(expected),
                     fmt::format("{}, which is {} old, more than the {} allowed", found,
                                 base::format_duration(age), base::format_duration(*input.crl_max_age)));
        return false;
    }
    const auto next = answer.newest->next_update();
    if (next && input.now > *next)
        verdict.warn(checks::path_revocation, link, std::move(expected),
                     fmt::format("{}, which is {} old and was to be followed at {}", found,
                                 base::format_duration(age), base::format_rfc3339(*next)));
    else
        verdict.pass(checks::path_revocation, link, std::move(expected), std::move(found));
    return true;
}

}  // namespace

bool check_revocation(std::span<const Certificate* const> path, const VerifyInput& input, Verdict& verdict) {
    if (!input.crls) return true;
    bool good = true;
    for (std::size_t at = path.size(); at-- > 0;) {
        const auto& certificate = *path[at];
        const bool is_anchor = at + 1 == path.size();
        if (is_anchor && certificate.is_self_issued()) continue;
        const auto issuers = is_anchor
                                 ? input.trust.by_subject().find(X509_get_issuer_name(certificate.handle()))
                                 : std::span(path[at + 1], 1);
        good &= check_one(certificate, static_cast<int>(at), issuers, input, is_anchor, verdict);
    }
    return good;
}

}  // namespace pki
