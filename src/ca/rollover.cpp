// SPDX-License-Identifier: Apache-2.0
#include "ca/rollover.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/layout.hpp"
#include "ca/ledger.hpp"
#include "ca/new_ca.hpp"
#include "ca/rollover_files.hpp"
#include "pki/subject_name.hpp"

namespace ca {
namespace {

struct Root {
    std::string name;
    pki::Certificate certificate;
    pki::PrivateKey key;
};

base::Result<Root> load_root(const Path& data, const std::string& name) {
    SP_TRY(return, const auto pem, base::read_file(certificate_file(data, name), "CA certificate"));
    SP_TRY(return, auto certificate, pki::Certificate::from_pem(pem, "CA certificate " + name));
    auto key = pki::PrivateKey::load(key_file(data, name).string(), "key of the root");
    if (!key) {
        auto why = key.error();
        if (why.code == base::Code::not_found)
            why.fix = "bring it back for this step: both roots sign each other and the intermediates";
        return std::unexpected(std::move(why));
    }
    return Root{name, std::move(certificate), *std::move(key)};
}

base::Status write_certificate(const Path& file, const pki::Certificate& certificate) {
    return base::write_atomically(file, certificate.pem(), base::public_mode);
}

base::Result<pki::Certificate> cross_sign(const Root& subject, const Root& signer, base::Instant now) {
    const auto end = std::min(subject.certificate.not_after(), signer.certificate.not_after());
    const auto name = pki::subject_der(subject.certificate);
    return pki::issue({.profile = pki::Profile::intermediate,
                       .key = subject.key.public_key(),
                       .common_name = subject.name,
                       .lifetime = end - now,
                       .subject_der = name},
                      &signer.certificate, signer.key, now);
}

base::Status prepare(Ledger& ledger, const Path& data, std::string name, base::Instant now) {
    const auto old_name = ledger.config().root;
    if (name.empty()) name = next_root_name(old_name);
    if (auto fine = check_ca_name(name); !fine) return fine;
    auto names = ledger.config().chain;
    names.push_back(old_name);
    names.push_back(name);
    if (auto fine = check_ca_names(names); !fine) return fine;
    SP_TRY(return, const auto old_root, load_root(data, old_name));
    const auto type = pki::parse_key_type(old_root.key.description() == "EC P-384" ? "ec-p384" : "ec-p256");
    SP_TRY(return, auto made, make_link(name, pki::Profile::root, std::nullopt, *type, nullptr, now));
    const Root new_root{name, made.certificate, made.key->share()};
    SP_TRY(return, const auto old_with_new, cross_sign(old_root, new_root, now));
    SP_TRY(return, const auto new_with_old, cross_sign(new_root, old_root, now));
    SP_TRY(return, const auto pem, new_root.key.pem());
    if (auto done = base::write_atomically(key_file(data, name), pem.text(), base::secret_mode); !done)
        return done;
    if (auto done = write_certificate(certificate_file(data, name), new_root.certificate); !done) return done;
    if (auto done = write_certificate(cross_file(data, old_name, name), old_with_new); !done) return done;
    if (auto done = write_certificate(cross_file(data, name, old_name), new_with_old); !done) return done;
    const struct {
        const pki::Certificate& certificate;
        pki::Profile profile;
        const std::string& issuer;
    } news[] = {{new_root.certificate, pki::Profile::root, name},
                {old_with_new, pki::Profile::intermediate, name},
                {new_with_old, pki::Profile::intermediate, old_name}};
    for (const auto& one : news)
        if (auto done = ledger.import(one.certificate, one.profile, one.issuer, "rollover"); !done)
            return done;
    const Rollover state{.step = Rollover::Step::prepared,
                         .from = old_name,
                         .to = name,
                         .prepared = now,
                         .switched = {},
                         .retired = {}};
    return base::write_atomically(rollover_file(data), rollover_text(state), base::public_mode);
}

/// `root = "..."` of ca.toml, and nothing else in it.
base::Status put_root_into_config(const Path& data, const std::string& name) {
    SP_TRY(return, const auto text, base::read_file(config_file(data), "configuration"));
    std::string changed;
    bool top = true;
    for (const auto line : base::split(text, '\n')) {
        const auto trimmed = base::trim(line);
        if (trimmed.starts_with('[')) top = false;
        const bool is_root =
            top && trimmed.starts_with("root") && base::trim(trimmed.substr(4)).starts_with('=');
        changed += is_root ? fmt::format("root = \"{}\"", name) : std::string(line);
        changed += '\n';
    }
    changed.pop_back();
    return base::write_atomically(config_file(data), changed, base::public_mode);
}

base::Status switch_over(Ledger& ledger, const Path& data, Rollover state, base::Instant now) {
    SP_TRY(return, const auto root, load_root(data, state.to));
    const auto& chain = ledger.config().chain;
    std::string full_chain;
    std::optional<pki::Certificate> top;
    if (!chain.empty()) {
        // The same key under another root: what it has issued so far stays good, and so does what it will
        // issue.
        const auto& known = ledger.issuers()[chain.size() - 1];
        SP_TRY(return, top,
                     pki::issue({.profile = pki::Profile::intermediate,
                                 .key = pki::PublicKey::of(known),
                                 .common_name = chain.front(),
                                 .path_length = static_cast<int>(chain.size()),
                                 .subject_der = pki::subject_der(known)},
                                &root.certificate, root.key, now));
        if (auto done = write_certificate(switched_file(data, chain.front(), state.to), *top); !done)
            return done;
        if (auto done = ledger.import(*top, pki::Profile::intermediate, state.to, "rollover"); !done)
            return done;
        for (std::size_t i = 0; i + 1 < chain.size(); ++i) full_chain += ledger.issuers()[i].pem();
        full_chain += top->pem();
    }
    full_chain += root.certificate.pem();
    state.step = Rollover::Step::switched;
    state.switched = now;
    if (auto done = base::write_atomically(rollover_file(data), rollover_text(state), base::public_mode);
        !done)
        return done;
    // From here on it counts; these files only say the same in their own places.
    if (top)
        if (auto done = write_certificate(certificate_file(data, chain.front()), *top); !done) return done;
    if (auto done = base::write_atomically(full_chain_file(data), full_chain, base::public_mode); !done)
        return done;
    return put_root_into_config(data, state.to);
}

base::Status retire(const Path& data, Rollover state, base::Instant now) {
    state.step = Rollover::Step::retired;
    state.retired = now;
    return base::write_atomically(rollover_file(data), rollover_text(state), base::public_mode);
}

}  // namespace

base::Status rollover_next(const std::filesystem::path& data, const std::string& new_root, bool force,
                           const base::Clock& clock) {
    const auto now = clock.now();
    SP_TRY(return, const auto ledger, Ledger::open(data, clock));
    SP_TRY(return, const auto status, rollover_status(data, now));
    if (status.waiting > 0 && !force)
        return base::fail(
            base::Code::precondition_failed, "step " + status.next,
            fmt::format("would come too early for {} certificate{} ({})", status.waiting,
                        status.waiting == 1 ? "" : "s", fmt::join(status.devices, ", ")),
            fmt::format("wait until they are renewed, until {} at the latest, or take it with --force",
                        base::format_rfc3339(status.latest_end.value_or(now))));
    if (!new_root.empty() && status.next != "prepare")
        return base::fail(base::Code::invalid_argument, "--root " + new_root, "is for the first step",
                          "leave it out");
    base::Status done;
    if (status.next == "prepare")
        done = prepare(*ledger, data, new_root, now);
    else if (status.next == "switch")
        done = switch_over(*ledger, data, status.rollover, now);
    else
        done = retire(data, status.rollover, now);
    if (!done) return done;
    SP_TRY(return, const auto state, read_rollover(data));
    ledger->write(
        {.kind = "rollover",
         .detail = fmt::format("{} from {} to {}{}", status.next, state.from, state.to,
                               status.waiting > 0 ? fmt::format(", forced over {}", status.waiting) : "")});
    SP_TRY(return, const auto head, ledger->sign_head());
    return {};
}

}  // namespace ca
