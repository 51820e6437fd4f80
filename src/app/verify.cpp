// SPDX-License-Identifier: Apache-2.0
#include "pki/verify.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <memory>

#include "app/command.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "pki/checks.hpp"

namespace app {
namespace {

struct Options {
    std::string trust;
    std::string chain;
    std::string intermediates;
    std::vector<std::string> crls;
    std::string purpose = "any";
    std::string host;
    std::string time;
    std::string policy = "azure";
    std::string output = "text";
};

// More than any peer sends: what `verify` makes of it is decided by its budget, not here.
constexpr std::size_t most_certificates = 1000;

/// What the files hold, or the verdict where a certificate in them does not parse: that is an answer, and it
/// is no.
struct Material {
    pki::Chain chain;
    pki::TrustBundle trust;
    pki::Chain intermediates;
    pki::CrlSet crls;
    pki::Verdict refused;
};

base::Result<Material> read(const Options& options) {
    Material all;
    SP_TRY(return, const auto chain_text, base::read_file(options.chain, "chain"));
    SP_TRY(return, const auto trust_text, base::read_file(options.trust, "trust bundle"));
    const auto refuse = [&](std::string_view check, int link, const base::Error& error) {
        all.refused.fail(check, link, "certificates in PEM that parse", error.text());
    };
    if (auto chain = pki::certificates_from_pem(chain_text, "chain " + options.chain, most_certificates))
        all.chain = *std::move(chain);
    else
        refuse(pki::checks::leaf_form, 0, chain.error());
    if (auto trust = pki::TrustBundle::from_pem(trust_text, "trust bundle " + options.trust))
        all.trust = *std::move(trust);
    else
        refuse(pki::checks::path_anchor, -1, trust.error());
    std::vector<pki::Crl> crls;
    constexpr std::size_t largest_crl = 64 * 1024 * 1024;
    for (const auto& file : options.crls) {
        SP_TRY(return, const auto content, base::read_file(file, "CRL", largest_crl));
        if (auto crl = pki::Crl::read(base::as_bytes(content), "CRL " + file))
            crls.push_back(*std::move(crl));
        else
            all.refused.fail(pki::checks::path_revocation, -1, "a complete CRL that parses",
                             crl.error().text());
    }
    all.crls = pki::CrlSet(std::move(crls));
    if (options.intermediates.empty()) return all;
    SP_TRY(return, const auto text, base::read_file(options.intermediates, "intermediates"));
    if (auto more =
            pki::certificates_from_pem(text, "intermediates " + options.intermediates, most_certificates))
        all.intermediates = *std::move(more);
    else
        refuse(pki::checks::path_form, -1, more.error());
    return all;
}

pki::Purpose purpose_of(std::string_view text) {
    if (text == "server") return pki::Purpose::server;
    return text == "client" ? pki::Purpose::client : pki::Purpose::any;
}

pki::Verdict decide(const Options& options, const Material& material, base::Instant now) {
    if (!material.refused.steps.empty()) return material.refused;
    std::optional<pki::PeerName> name;
    if (!options.host.empty()) name = pki::PeerName::parse(options.host);
    return pki::verify({.chain = material.chain,
                        .trust = material.trust,
                        .intermediates = &material.intermediates,
                        .purpose = purpose_of(options.purpose),
                        .name = &name,
                        .now = now,
                        .policy = options.policy == "strict" ? pki::Policy::strict : pki::Policy::azure,
                        .crls = options.crls.empty() ? nullptr : &material.crls})
        .verdict;
}

void print_json(const pki::Verdict& verdict) {
    boost::json::array steps;
    for (const auto& step : verdict.steps)
        steps.push_back(boost::json::object{{"check", step.check},
                                            {"link", step.link},
                                            {"outcome", pki::to_string(step.outcome)},
                                            {"expected", step.expected},
                                            {"found", step.found}});
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"accepted", verdict.accepted()},
                                                                  {"steps", std::move(steps)}}));
}

void print_text(const pki::Verdict& verdict) {
    const bool coloured = isatty(STDOUT_FILENO) == 1 && !std::getenv("NO_COLOR");
    fmt::print("{}\n", coloured ? pki::to_coloured_text(verdict) : pki::to_text(verdict));
    if (verdict.accepted()) {
        fmt::print("accepted\n");
        return;
    }
    fmt::print("refused: {}\n", pki::summary(verdict));
    const auto* failure = verdict.first_failure();
    const auto fix = failure ? pki::advice(failure->check) : std::string_view();
    if (!fix.empty()) fmt::print("hint: {}\n", fix);
}

Exit verify(const Options& options) {
    base::Instant now = base::system_clock().now();
    if (!options.time.empty()) {
        const auto time = base::parse_rfc3339(options.time);
        if (!time)
            return report({base::Code::usage, "--time " + options.time, time.error().reason,
                           "give it as 2026-11-25T10:00:00Z"});
        now = *time;
    }
    const auto material = read(options);
    if (!material) return report(material.error(), Exit::unknown);
    const auto verdict = decide(options, *material, now);
    if (options.output == "json")
        print_json(verdict);
    else
        print_text(verdict);
    return verdict.accepted() ? Exit::done : Exit::no;
}

}  // namespace

void add_verify(CLI::App& root, Run& run) {
    auto options = std::make_shared<Options>();
    auto* command =
        root.add_subcommand("verify", "Decide whether a certificate chain may be trusted, step by step");
    command->add_option("--trust", options->trust, "trust anchors, PEM")->required();
    command->add_option("--chain", options->chain, "the chain as a peer sends it, PEM, leaf first")
        ->required();
    command->add_option("--intermediates", options->intermediates, "further candidates for issuers, PEM");
    command
        ->add_option("--crl", options->crls,
                     "the CRL of a CA of the chain, PEM or DER; may be repeated, one for each CA")
        ->allow_extra_args(false);
    command->add_option("--purpose", options->purpose, "client, server or any (default any)")
        ->check(CLI::IsMember({"client", "server", "any"}));
    command->add_option("--host", options->host, "the DNS name or IP address that is dialled");
    command->add_option("--time", options->time, "the moment to decide for, RFC 3339 (default now)");
    command->add_option("--policy", options->policy, "azure (CN counts where there is no SAN) or strict")
        ->check(CLI::IsMember({"azure", "strict"}));
    command->add_option("--output", options->output, "text or json")->check(CLI::IsMember({"text", "json"}));
    command->callback([options, &run] { run = [options] { return verify(*options); }; });
}

}  // namespace app
