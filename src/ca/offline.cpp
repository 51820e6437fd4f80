// SPDX-License-Identifier: Apache-2.0
#include "ca/offline.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/audit_head.hpp"
#include "ca/layout.hpp"
#include "ca/ledger.hpp"
#include "ca/new_ca.hpp"
#include "pki/csr.hpp"
#include "pki/subject_name.hpp"
#include "pki/verify.hpp"

namespace ca {
namespace {

namespace json = boost::json;

constexpr std::size_t largest_stick_file = 64UL * 1024;
constexpr std::chrono::days longest_wait{30};
constexpr std::size_t longest_chain = 8;

Path pending_file(const Path& data) {
    return data / "intermediate-request.json";
}

auto stick_error(const Path& file, std::string reason, std::string fix = {}) {
    return base::fail(base::Code::invalid_argument, "file " + file.string(), std::move(reason),
                      std::move(fix));
}

base::Result<std::string> read_stick(const Path& file) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(file, error)))
        return base::fail(base::Code::not_found, "file " + file.string(), "is not there, or no plain file",
                          "name the directory of the stick with --stick");
    return base::read_file(file, "file", largest_stick_file);
}

struct Wish {
    std::vector<std::string> chain;
    std::string key_sha256;
    std::string key_type;
    base::Instant made;
};

std::string wish_text(const Wish& wish) {
    return json::serialize(json::object{{"version", 1},
                                        {"profile", "intermediate"},
                                        {"chain", json::value_from(wish.chain)},
                                        {"keySha256", wish.key_sha256},
                                        {"keyType", wish.key_type},
                                        {"made", base::format_rfc3339(wish.made)}}) +
           "\n";
}

base::Result<Wish> read_wish(const Path& file) {
    SP_TRY(return, const auto text, read_stick(file));
    boost::system::error_code error;
    const auto value = json::parse(text, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto member = [&](const char* name) -> std::string {
        const auto* found = object ? object->if_contains(name) : nullptr;
        return found && found->is_string() ? std::string(found->get_string()) : std::string{};
    };
    const auto* chain = object ? object->if_contains("chain") : nullptr;
    if (!chain || !chain->is_array() || chain->get_array().empty() ||
        chain->get_array().size() > longest_chain || member("profile") != "intermediate")
        return stick_error(file, "is not a request for an intermediate",
                           "write it with sallyport ca intermediate request");
    Wish wish{.chain = {}, .key_sha256 = member("keySha256"), .key_type = member("keyType"), .made = {}};
    for (const auto& name : chain->get_array())
        wish.chain.emplace_back(name.is_string() ? std::string_view(name.get_string()) : std::string_view{});
    if (auto fine = check_ca_names(wish.chain); !fine) return std::unexpected(fine.error());
    SP_TRY(return, wish.made, base::parse_rfc3339(member("made")));
    return wish;
}

bool confirmed(const Confirm& confirm, const std::string& question) {
    return confirm && confirm(question);
}

auto not_confirmed() {
    return base::fail(base::Code::permission_denied, "", "nothing was done: it was not confirmed");
}

/// Root, certificate and key must be what was asked for, whoever wrote the stick.
base::Status check_answer(const pki::Certificate& root, const pki::Certificate& certificate, const Wish& wish,
                          const pki::PrivateKey& key, base::Instant now) {
    const auto refuse = [&](std::string reason) {
        return base::fail(base::Code::invalid_argument, "certificate " + certificate.subject(),
                          std::move(reason),
                          "sign the newest request of this machine with sallyport ca root sign");
    };
    if (!key.matches(certificate)) return refuse("is not for the key that was made here");
    if (certificate.subject() != "CN=" + wish.chain.front())
        return refuse("has another name than was asked for");
    if (!certificate.is_ca()) return refuse("is not a CA certificate");
    if (!root.is_ca() || !root.is_self_issued()) return refuse("does not come with a root");
    const pki::Chain chain{certificate};
    const pki::TrustBundle trust({root});
    const auto judged = pki::verify({.chain = chain, .trust = trust, .now = now});
    if (!judged.verdict.accepted())
        return refuse(
            fmt::format("does not verify below {}: {}", root.subject(), pki::summary(judged.verdict)));
    return {};
}

}  // namespace

base::Status request_intermediate(const IntermediateRequest& input, base::Instant now) {
    if (input.chain.empty() || input.chain.size() > longest_chain)
        return base::fail(base::Code::invalid_argument, "chain",
                          fmt::format("needs 1 to {} intermediates", longest_chain));
    if (auto fine = check_ca_names(input.chain); !fine) return fine;
    if (auto made = base::make_private_directories(input.data); !made) return made;
    SP_TRY(return, const auto lock, base::DirectoryLock::take(input.data));
    if (auto fine = check_no_ca(input.data, input.chain, true); !fine) return fine;
    if (auto made = base::make_private_directories(key_directory(input.data)); !made) return made;
    SP_TRY(return, const auto key, pki::PrivateKey::generate(input.key_type));
    SP_TRY(return, const auto csr, pki::make_csr_pem({.common_name = input.chain.front(), .ca = true}, key));
    const auto text = wish_text({.chain = input.chain,
                                 .key_sha256 = base::to_hex(pki::key_digest(key.public_key())),
                                 .key_type = std::string(pki::to_string(input.key_type)),
                                 .made = now});
    SP_TRY(return, const auto pem, key.pem());
    NewFiles files;
    if (auto done = files.write(key_file(input.data, input.chain.front()), pem.text(), base::secret_mode);
        !done)
        return done;
    if (auto done = files.write(pending_file(input.data), text, base::public_mode); !done) return done;
    if (auto done = base::write_atomically(input.stick / "request.csr.pem", csr, base::public_mode); !done)
        return done;
    if (auto done = base::write_atomically(input.stick / "request.json", text, base::public_mode); !done)
        return done;
    files.keep();
    return {};
}

base::Status sign_intermediate(const RootSigning& input, const base::Clock& clock) {
    const auto csr_file = input.stick / "request.csr.pem";
    SP_TRY(return, const auto wish, read_wish(input.stick / "request.json"));
    SP_TRY(return, const auto csr_text, read_stick(csr_file));
    SP_TRY(return, const auto csr, pki::csr_from_pem(csr_text, "certificate request " + csr_file.string()));
    if (base::to_hex(pki::key_digest(csr.key)) != wish.key_sha256 || csr.common_name != wish.chain.front())
        return stick_error(csr_file, "does not fit request.json", "write both anew on the issuing machine");
    const auto now = clock.now();
    if (now - wish.made > longest_wait || wish.made - now > longest_wait)
        return stick_error(input.stick / "request.json",
                           fmt::format("was made at {}, too long ago", base::format_rfc3339(wish.made)),
                           "write a new one on the issuing machine, and check both clocks");
    if (auto fine = csr.key.check_strength("certificate request"); !fine) return fine;
    SP_TRY(return, const auto ledger, Ledger::open(input.data, clock));
    const int below = static_cast<int>(wish.chain.size());
    const std::chrono::seconds lifetime =
        input.lifetime.value_or(pki::rules(pki::Profile::intermediate).lifetime);
    const auto end =
        std::min(now + lifetime, ledger->issuers().empty() ? ledger->root().not_after()
                                                           : ledger->issuers().front().not_after());
    const auto question = fmt::format(
        "issuer       {}\nsubject      CN={}\nkey          {}, SHA-256 {}\npath length  {} (CAs that may "
        "stand "
        "below)\nends         {}\nrequested    {}",
        ledger->root().subject(), wish.chain.front(), csr.key.description(), wish.key_sha256, below,
        base::format_rfc3339(end), base::format_rfc3339(wish.made));
    if (!confirmed(input.confirm, question)) return not_confirmed();
    SP_TRY(return, const auto chain,
                 ledger->issue({.profile = pki::Profile::intermediate,
                                .key = csr.key,
                                .common_name = wish.chain.front(),
                                .lifetime = lifetime,
                                .detail = "key ceremony",
                                .path_length = below,
                                .allow_short = true}));
    SP_TRY(return, const auto head, ledger->sign_head());
    const auto put = [&](const char* name, std::string_view text) {
        return base::write_atomically(input.stick / name, text, base::public_mode);
    };
    if (auto done = put("certificate.pem", pki::to_pem(chain)); !done) return done;
    if (auto done = put("root.pem", ledger->root().pem()); !done) return done;
    return put("audit-head.json", head + "\n");
}

base::Status install_intermediate(const IntermediateInstall& input, const base::Clock& clock) {
    std::error_code ignored;
    if (!std::filesystem::exists(pending_file(input.data), ignored))
        return base::fail(base::Code::not_found, "data directory " + input.data.string(),
                          "waits for no intermediate", "begin with sallyport ca intermediate request");
    std::vector<Link> links;
    std::string head;
    {
        SP_TRY(return, const auto lock, base::DirectoryLock::take(input.data));
        SP_TRY(return, const auto wish, read_wish(pending_file(input.data)));
        const auto type = pki::parse_key_type(wish.key_type).value_or(pki::KeyType::ec_p256);
        SP_TRY(return, auto key,
                     pki::PrivateKey::load(key_file(input.data, wish.chain.front()).string(), "CA key"));
        SP_TRY(return, const auto root_text, read_stick(input.stick / "root.pem"));
        SP_TRY(return, const auto root, pki::Certificate::from_pem(root_text, "root certificate"));
        SP_TRY(return, const auto text, read_stick(input.stick / "certificate.pem"));
        SP_TRY(return, const auto certificate, pki::Certificate::from_pem(text, "certificate"));
        if (auto read = read_stick(input.stick / "audit-head.json")) head = base::trim(*read);
        const auto now = clock.now();
        if (auto fine = check_answer(root, certificate, wish, key, now); !fine) return fine;
        auto names = wish.chain;
        names.insert(names.begin(), root.common_name());
        if (auto fine = check_ca_names(names); !fine) return fine;
        if (auto fine = check_no_ca(input.data, names, false); !fine) return fine;
        if (input.root_sha256) {
            std::string wanted;
            for (const char c : *input.root_sha256)
                if (c != ':') wanted += c;
            if (!base::equal_ignoring_case(wanted, base::to_hex(root.sha256())))
                return stick_error(input.stick / "root.pem", "is another root than --root-sha256 says: " +
                                                                 pki::with_colons(root.sha256()));
        } else if (!confirmed(input.confirm, fmt::format("root     {}\nSHA-256  {}", root.subject(),
                                                         pki::with_colons(root.sha256())))) {
            return not_confirmed();
        }
        links.push_back({root.common_name(), root, std::nullopt});
        links.push_back({wish.chain.front(), certificate, key.share()});
        const auto rest = std::span(wish.chain).subspan(1);
        if (auto added = add_intermediates(links, rest, type, now); !added) return added;
        // The lowest one must be able to issue an Edge CA: tried, and thrown away.
        const pki::IssueInput trial{
            .profile = pki::Profile::edge_ca, .key = key.public_key(), .common_name = "trial"};
        if (auto room = pki::issue(trial, &links.back().certificate, *links.back().key, now); !room)
            return std::unexpected(room.error());
        links[1].key.reset();  // lies in its file since it was made
        if (auto made = base::make_private_directories(certificate_directory(input.data)); !made) return made;
        if (auto written = write_ca(input.data, links); !written) return written;
        std::filesystem::remove(pending_file(input.data), ignored);
    }
    SP_TRY(return, const auto ledger, Ledger::open(input.data, clock));
    ledger->write({.kind = "keyceremony",
                   .serial = serial_of(links[1].certificate),
                   .subject = links[1].certificate.subject(),
                   .detail = parse_head(head) ? "audit head of the root: " + head : "without an audit head"});
    SP_TRY(return, const auto signed_one, ledger->sign_head());
    return {};
}

}  // namespace ca
