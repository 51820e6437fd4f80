// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <filesystem>
#include <memory>

#include "app/ca.hpp"
#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/issuing.hpp"
#include "ca/layout.hpp"
#include "ca/request.hpp"
#include "pki/permitted_names.hpp"

namespace app {
namespace {

auto usage(std::string thing, std::string reason, std::string fix = {}) {
    return base::fail(base::Code::usage, std::move(thing), std::move(reason), std::move(fix));
}

struct IssueOptions {
    std::string data, profile, subject, csr, key_out, out, key;
    std::vector<std::string> names, permitted;
    long long days = 0;
    bool client_auth = false;
    bool force = false;
};

base::Result<pki::Profile> leaf_profile(const std::string& text) {
    auto known = pki::profile_names();
    std::erase(known, "root");
    const auto profile = pki::parse_profile(text);
    if (profile && *profile != pki::Profile::root) return *profile;
    if (profile) return usage("profile root", "has no issuer", "make a root with sallyport ca init");
    const auto near = base::nearest(text, known);
    std::string all;
    for (const auto& name : known) all += (all.empty() ? "" : ", ") + name;
    return usage("profile " + text, "is not known",
                 near.empty() ? "give one of " + all : fmt::format("did you mean {}?", near));
}

base::Status check_usage(const IssueOptions& options, pki::Profile profile) {
    if (options.csr.empty() == options.key_out.empty())
        return usage("ca issue",
                     options.csr.empty() ? "needs --csr or --key-out" : "takes --csr or --key-out, not both",
                     "give --csr FILE for a key that exists, --key-out FILE for a new one");
    if (!options.csr.empty() && !options.key.empty())
        return usage("--key", "is for keys that are made here", "leave it out with --csr");
    if (!options.key_out.empty() && std::filesystem::path(options.key_out).lexically_normal() ==
                                        std::filesystem::path(options.out).lexically_normal())
        return usage("--out", "and --key-out name the same file", "give each a file of its own");
    if (options.client_auth && profile != pki::Profile::server)
        return usage("--client-auth", "is for the profile server alone", "leave it out");
    if (!options.permitted.empty() && profile != pki::Profile::edge_ca &&
        profile != pki::Profile::intermediate)
        return usage("--permit", "is for the profiles edge-ca and intermediate", "leave it out");
    for (const auto& name : options.permitted)
        if (auto fine = as_usage(pki::check_permitted_name(name)); !fine) return fine;
    if (options.subject.starts_with("CN=") || options.subject.starts_with("/CN="))
        return usage("--subject " + options.subject, "is a common name alone",
                     "write --subject " + options.subject.substr(options.subject.find('=') + 1));
    if (auto fine = as_usage(pki::check_common_name(options.subject)); !fine) return fine;
    for (const auto& name : options.names)
        if (auto fine = as_usage(pki::check_name(name)); !fine) return fine;
    if (pki::rules(profile).san == pki::San::required && options.names.empty())
        return usage(fmt::format("profile {}", options.profile), "needs a name that clients connect to",
                     "add --san DNS:NAME or --san IP:ADDRESS");
    return {};
}

base::Result<pki::PublicKey> requested_key(const IssueOptions& options, pki::Profile profile) {
    SP_TRY(return, const auto content, base::read_file(options.csr, "certificate request"));
    SP_TRY(return, const auto csr,
                 pki::read_csr(base::as_bytes(content), "certificate request " + options.csr));
    if (auto fine = ca::check_wishes(csr, profile); !fine) return std::unexpected(fine.error());
    for (const auto& name : csr.names)
        if (std::ranges::find(options.names, name) == options.names.end())
            fmt::print(stderr, "sallyport: note: the request asks for {}, which --san does not give\n", name);
    return csr.key;
}

base::Status check_key_out(const IssueOptions& options) {
    std::error_code ignored;
    if (options.force || !std::filesystem::exists(std::filesystem::symlink_status(options.key_out, ignored)))
        return {};
    return base::fail(base::Code::already_exists, "key " + options.key_out, "exists already",
                      "name another file, or replace it with --force");
}

base::Status write_files(const IssueOptions& options, const std::optional<pki::PrivateKey>& key,
                         const pki::Chain& chain) {
    if (key) {
        // Before an old key is replaced: its certificate must have a place to go.
        const std::filesystem::path out(options.out);
        const auto directory = out.has_parent_path() ? out.parent_path() : std::filesystem::path(".");
        if (::access(directory.c_str(), W_OK | X_OK) != 0)
            return base::fail_errno(errno, "file " + options.out, "created");
        SP_TRY(return, const auto pem, key->pem());
        if (auto done = base::write_atomically(options.key_out, pem.text(), base::secret_mode); !done)
            return done;
    }
    auto done = base::write_atomically(options.out, pki::to_pem(chain), base::public_mode);
    // A new key without its certificate is of no use, and in the way of the next try.
    std::error_code ignored;
    if (!done && key && !options.force) std::filesystem::remove(options.key_out, ignored);
    return done;
}

base::Result<pki::Chain> ordered(const IssueOptions& options, const pki::PublicKey& key) {
    boost::json::object request{{"do", "issue"},
                                {"profile", options.profile},
                                {"subject", options.subject},
                                {"key", base::to_base64(key.der())},
                                {"names", boost::json::value_from(options.names)},
                                {"client_auth", options.client_auth},
                                {"permitted", boost::json::value_from(options.permitted)}};
    if (options.days > 0) request["seconds"] = std::chrono::seconds(std::chrono::days{options.days}).count();
    SP_TRY(return, const auto answer, ca::with_books(options.data, request));
    pki::Chain chain;
    for (const auto& each : answer.at("chain").as_array()) {
        const auto der = base::from_base64(std::string_view(each.as_string()));
        SP_TRY(return, auto certificate,
                     pki::Certificate::from_der(der.value_or(base::Bytes{}), "certificate from the CA"));
        chain.push_back(std::move(certificate));
    }
    return chain;
}

base::Result<pki::KeyType> configured_type(const IssueOptions& options, pki::Profile profile) {
    if (!options.key.empty()) return read_key_type(options.key);
    SP_TRY(return, const auto config, ca::read_config(ca::config_file(options.data)));
    return config.profile(profile).key_type.value_or(pki::KeyType::ec_p256);
}

base::Status run_issue(const IssueOptions& options) {
    SP_TRY(return, const auto profile, leaf_profile(options.profile));
    if (auto fine = check_usage(options, profile); !fine) return fine;
    if (!options.key.empty())
        if (auto type = read_key_type(options.key); !type) return std::unexpected(type.error());
    if (auto fine = ca::check_is_ca(options.data); !fine) return fine;
    std::optional<pki::PrivateKey> key;
    std::optional<pki::PublicKey> certified;
    if (options.csr.empty()) {
        if (auto fine = check_key_out(options); !fine) return fine;
        SP_TRY(return, const auto type, configured_type(options, profile));
        SP_TRY(return, key, pki::PrivateKey::generate(type));
        certified = key->public_key();
    } else {
        SP_TRY(return, certified, requested_key(options, profile));
    }
    const auto now = base::system_clock().now();
    SP_TRY(return, const auto chain, ordered(options, *certified));
    if (options.days > 0 && chain.front().not_after() < now + std::chrono::days{options.days})
        fmt::print(stderr, "sallyport: note: valid until {} alone, as its issuer is\n",
                   base::format_rfc3339(chain.front().not_after()));
    return write_files(options, key, chain);
}

}  // namespace

void add_ca_issue(CLI::App& ca, Run& run) {
    const auto options = std::make_shared<IssueOptions>();
    auto* command = ca.add_subcommand("issue", "Issue a certificate, signed by the lowest CA");
    command->add_option("--data", options->data, "Data directory of the CA")->required();
    command
        ->add_option("--profile", options->profile,
                     "intermediate, edge-ca, server, device, client, est-identity or bootstrap")
        ->required();
    command->add_option("--subject", options->subject, "Common name of the subject")->required();
    command
        ->add_option("--san", options->names,
                     "A subject alternative name, DNS:.., IP:.. or URI:..; may be repeated")
        ->allow_extra_args(false);
    command
        ->add_option("--permit", options->permitted,
                     "A CA certificate: only names in it or below it, DNS:.. or IP:../BITS; may be repeated")
        ->allow_extra_args(false);
    command->add_option("--csr", options->csr, "Certificate request (PEM or DER) with the key to certify");
    command->add_option("--key-out", options->key_out, "File for a new private key (mode 0600)");
    command->add_option("--out", options->out, "File for the certificate and its issuers, without the root")
        ->required();
    command->add_option("--days", options->days, "Lifetime, in place of the profile's")
        ->check(CLI::Range(1LL, static_cast<long long>(pki::longest_lifetime.count())));
    command->add_option("--key", options->key, fmt::format("Type of the new key: {}", ca_key_types));
    command->add_flag("--client-auth", options->client_auth,
                      "Profile server: good for client authentication too");
    command->add_flag("--force", options->force, "Replace the file of --key-out");
    command->callback([&run, options] { run = ca_runner(options, run_issue); });
}

}  // namespace app
