// SPDX-License-Identifier: Apache-2.0
#include "registry/possession.hpp"

#include "base/result.hpp"
#include "pki/digest.hpp"
#include "pki/verify.hpp"
#include "registry/refusals.hpp"
#include "registry/rows.hpp"
#include "registry/writing.hpp"

namespace registry {
namespace {

constexpr std::size_t code_octets = 24;  // 48 digits, as the original's

base::Status put_changed(Writing& writing, CaCertificate& entry) {
    entry.etag = new_etag();
    entry.updated = writing.second();
    return rows::put(writing.database, entry);
}

}  // namespace

base::Status check_possession(const pki::Certificate& proof, const pki::Certificate& ca,
                              std::string_view code, base::Instant now) {
    const auto refuse = [&](std::string reason, std::string fix) {
        return base::fail(base::Code::invalid_argument, "verification certificate " + proof.subject(),
                          std::move(reason), std::move(fix));
    };
    if (code.empty() || !base::equal_ignoring_case(proof.common_name(), code))
        return refuse("has another common name than the verification code",
                      "issue one whose subject CN is the code that was generated last");
    const pki::Chain chain{proof};
    const pki::TrustBundle trust({ca});
    const auto judged = pki::verify({.chain = chain, .trust = trust, .now = now});
    if (!judged.verdict.accepted())
        return refuse(
            "does not prove possession of the key of " + ca.subject() + ": " + pki::summary(judged.verdict),
            "issue it with that key itself, not with one below, valid now");
    if (judged.path.size() != 2)
        return refuse("is the CA certificate itself", "issue one below it, with the code as its CN");
    return {};
}

base::Result<CaCertificate> make_verification_code(Writing& writing, const std::string& name,
                                                   const IfMatch& match) {
    SP_TRY(return, auto entry, certificate_to_change(writing, name, match));
    entry.verification_code = base::to_hex_upper(pki::random_bytes(code_octets));
    if (auto put = put_changed(writing, entry); !put) return std::unexpected(put.error());
    return entry;
}

base::Result<CaCertificate> verify_ca_certificate(Writing& writing, const std::string& name,
                                                  const pki::Certificate& proof, const IfMatch& match) {
    SP_TRY(return, auto entry, certificate_to_change(writing, name, match));
    if (entry.verification_code.empty())
        return base::fail(base::Code::invalid_argument, refusals::certificate_thing(name),
                          "has no verification code open",
                          "generate one, then issue a certificate with it as common name");
    if (auto fine = check_possession(proof, entry.certificate, entry.verification_code, writing.second());
        !fine)
        return std::unexpected(fine.error());
    entry.verified = true;
    entry.verification_code.clear();
    if (auto put = put_changed(writing, entry); !put) return std::unexpected(put.error());
    if (auto noted = writing.certificates_changed(); !noted) return std::unexpected(noted.error());
    return entry;
}

}  // namespace registry
