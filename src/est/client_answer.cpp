// SPDX-License-Identifier: Apache-2.0
#include "est/client_answer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "est/message.hpp"
#include "pki/certs_only.hpp"
#include "pki/verify.hpp"

namespace est {
namespace {

constexpr std::size_t largest_answer = 256UL * 1024;
constexpr std::chrono::hours clock_behind{24};
constexpr std::chrono::hours least_left{1};

std::unexpected<base::Error> unusable(std::string reason) {
    return base::fail(base::Code::invalid_argument, "certificate of the EST server", std::move(reason),
                      "see what the server issues under this label, and that trusted_certs holds the root of "
                      "what it issues");
}

// DNS names compare without case (RFC 5280 7.2).
std::vector<std::string> comparable(std::vector<std::string> names) {
    for (auto& name : names)
        if (name.starts_with("DNS:")) name = "DNS:" + base::to_lower(std::string_view(name).substr(4));
    std::ranges::sort(names);
    return names;
}

base::Status check_names(const pki::Certificate& leaf, const Wanted& wanted) {
    if (leaf.subject() != wanted.subject)
        return unusable(fmt::format("is for {}, and {} was asked for", leaf.subject(), wanted.subject));
    const auto names = comparable(leaf.subject_alternative_names());
    if (names != comparable(wanted.names))
        return unusable(fmt::format("has the names [{}], and [{}] were asked for", fmt::join(names, ", "),
                                    fmt::join(wanted.names, ", ")));
    if (leaf.is_ca() != wanted.ca)
        return unusable(wanted.ca ? "is not one of a CA, which was asked for"
                                  : "is one of a CA, which was not asked for");
    return {};
}

}  // namespace

Wanted wanted(const pki::Csr& request, bool ca, pki::Purpose purpose) {
    return {request.key, request.subject, request.names, ca, purpose};
}

base::Result<pki::Chain> read_certificates(const http::Response& answer) {
    const auto field = answer.headers.get("Content-Type").value_or("");
    auto type = base::to_lower(field.substr(0, field.find(';')));
    while (type.ends_with(' ') || type.ends_with('\t')) type.pop_back();
    if (type != "application/pkcs7-mime")
        return base::fail(base::Code::unsupported, "answer of the EST server",
                          fmt::format("is of type {}, not application/pkcs7-mime",
                                      field.empty() ? std::string("none") : std::string(field)),
                          "see that the URL is one of an EST server");
    if (answer.body.size() > largest_answer)
        return base::fail(base::Code::too_large, "answer of the EST server",
                          fmt::format("has {} octets, {} are read", answer.body.size(), largest_answer));
    SP_TRY(return, const auto der, read_body(answer.body));
    return pki::read_certs_only(der);
}

base::Result<Issued> check_issued(const pki::Chain& answered, const pki::Chain& authorities,
                                  const Wanted& wanted, const pki::TrustBundle& trust, base::Instant now) {
    const auto leaf = std::ranges::find_if(
        answered, [&](const pki::Certificate& each) { return pki::PublicKey::of(each) == wanted.key; });
    if (leaf == answered.end())
        return unusable(answered.empty()
                            ? std::string("is missing: the answer holds none")
                            : fmt::format("is for another key than ours ({})", answered.front().subject()));
    if (auto good = check_names(*leaf, wanted); !good) return std::unexpected(good.error());
    Issued out;
    out.ahead = leaf->not_before() > now;
    if (out.ahead && leaf->not_before() > now + clock_behind)
        return unusable("is valid only from " + base::format_rfc3339(leaf->not_before()));
    if (leaf->not_after() < now + least_left)
        return unusable("ends at " + base::format_rfc3339(leaf->not_after()) + ", in less than an hour");
    pki::Chain presented{*leaf};
    for (const auto& each : answered)
        if (!(each == *leaf)) presented.push_back(each);
    // A CA that was made a moment ago begins as late as its leaf.
    const auto when = std::max(now, leaf->not_before());
    auto judged = pki::verify({.chain = presented,
                               .trust = trust,
                               .intermediates = &authorities,
                               .purpose = wanted.purpose,
                               .now = when});
    if (!judged.verdict.accepted()) return unusable("is not accepted: " + pki::summary(judged.verdict));
    out.chain = std::move(judged.path);
    // Who trusts the root has it; a chain that carries it only grows (RFC 8446 4.4.2).
    if (out.chain.size() > 1 && out.chain.back().is_self_issued()) out.chain.pop_back();
    return out;
}

}  // namespace est
