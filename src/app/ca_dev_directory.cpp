// SPDX-License-Identifier: Apache-2.0
#include "app/ca_dev_directory.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/init.hpp"
#include "ca/layout.hpp"
#include "ca/ledger.hpp"
#include "ca/password.hpp"
#include "pki/digest.hpp"

namespace app {
namespace {

constexpr const char* root_name = "sallyport-ca-dev-root";
constexpr const char* issuing_name = "sallyport-ca-dev-issuing";
constexpr const char* user_name = "dev";
constexpr std::chrono::days least_rest{30};  // of a bootstrap certificate that is kept
constexpr std::string_view marker = "# Written by `sallyport ca dev` at each start";

base::Status check_for_development(const std::filesystem::path& config) {
    if (!std::filesystem::exists(config)) return {};
    SP_TRY(return, const auto text, base::read_file(config, "configuration"));
    // The second: of a start that was cut off in between.
    if (text.starts_with(marker) || text.find(root_name) != std::string::npos) return {};
    return base::fail(base::Code::already_exists, "file " + config.string(),
                      "is the configuration of a CA that is not for development",
                      "serve it with sallyport ca run --data " + config.parent_path().string() +
                          ", or name another directory with --data");
}

struct Secret {
    std::string password, hash;
};

/// The user's password and its hash, two lines of one file.
base::Result<Secret> load_or_make_user(const std::filesystem::path& file) {
    if (const auto kept = base::read_secret_file(file, "password of the user dev")) {
        const auto lines = base::split(kept->text(), '\n');
        if (lines.size() >= 2) return Secret{std::string(lines[0]), std::string(lines[1])};
    }
    Secret secret{base::to_hex(pki::random_bytes(16)), {}};
    SP_TRY(return, secret.hash, ca::hash_password(secret.password));
    const auto text = secret.password + "\n" + secret.hash + "\n";
    if (auto done = base::write_atomically(file, text, base::secret_mode); !done)
        return std::unexpected(done.error());
    return secret;
}

std::string dev_config(const Secret& secret) {
    std::string text = fmt::format(
        "{}: changes do not last.\n\nroot = \"{}\"\nchain = [\"{}\"]\n\n"
        "[profile.device]\nserverkeygen = true\n\n[profile.server]\nserverkeygen = true\nwildcards = "
        "true\n\n",
        marker, root_name, issuing_name);
    for (const std::string_view label : {"device", "edge-ca", "server"})
        text += fmt::format(
            "[est.label.{}]\nbootstrap = \"est-identity\"\nest-id = \"{}\"\nuser = \"{}\"\n"
            "subjects = [\"{{any}}\"]\nsans = [\"{{any}}\"]\n\n",
            label, label, label);
    text +=
        "[est]\nper_name_per_hour = 1000000\n\n"
        "[[bootstrap]]\nname = \"dev\"\nown = true\nsubjects = [\"{any}\"]\nsans = [\"{any}\"]\n\n";
    return text + fmt::format(
                      "[[user]]\nname = \"{}\"\npassword_hash = \"{}\"\nsubjects = [\"{{any}}\"]\nsans = "
                      "[\"{{any}}\"]\n",
                      user_name, secret.hash);
}

bool is_still_good(const DevCa& made, const ca::Ledger& ledger, base::Instant now) {
    const auto pem = base::read_file(made.bootstrap_certificate, "bootstrap certificate");
    const auto key = pki::PrivateKey::load(made.bootstrap_key.string(), "bootstrap key");
    const auto chain = pem ? pki::certificates_from_pem(*pem, "bootstrap certificate")
                           : base::Result<pki::Chain>(pki::Chain{});
    if (!pem || !key || !chain || !key->matches(chain->front())) return false;
    const auto entry = ledger.find(chain->front());
    return entry && !entry->revocation && entry->not_after > now + least_rest;
}

base::Status issue_bootstrap(const DevCa& made, ca::Ledger& ledger) {
    SP_TRY(return, const auto key, pki::PrivateKey::generate(pki::KeyType::ec_p256));
    ca::Order order{.profile = pki::Profile::bootstrap, .key = key.public_key()};
    order.common_name = "sallyport-ca-dev-bootstrap";
    order.detail = "ca dev";
    SP_TRY(return, const auto chain, ledger.issue(order));
    SP_TRY(return, const auto pem, key.pem());
    if (auto done = base::write_atomically(made.bootstrap_key, pem.text(), base::secret_mode); !done)
        return done;
    return base::write_atomically(made.bootstrap_certificate, pki::to_pem(chain), base::public_mode);
}

}  // namespace

base::Result<DevCa> make_dev_ca(const std::filesystem::path& data, const base::Clock& clock) {
    if (auto fine = base::make_private_directories(data); !fine) return std::unexpected(fine.error());
    const auto config = ca::config_file(data);
    if (auto fine = check_for_development(config); !fine) return std::unexpected(fine.error());
    if (!std::filesystem::exists(config)) {
        const ca::InitInput input{.data = data, .root = root_name, .chain = {issuing_name}};
        if (auto made = ca::init(input, clock.now()); !made) return std::unexpected(made.error());
    }
    DevCa made{.root = ca::certificate_file(data, root_name),
               .user = user_name,
               .password = {},
               .bootstrap_certificate = data / "bootstrap.pem",
               .bootstrap_key = ca::key_file(data, "bootstrap")};
    SP_TRY(return, const auto secret, load_or_make_user(ca::key_directory(data) / "user-dev"));
    made.password = secret.password;
    {
        // Not under a CA that serves: it would read another policy at its next start than it follows now.
        SP_TRY(return, const auto lock, base::DirectoryLock::take(data));
        if (auto done = base::write_atomically(config, dev_config(secret), base::public_mode); !done)
            return std::unexpected(done.error());
    }
    SP_TRY(return, const auto ledger, ca::Ledger::open(data, clock));
    if (is_still_good(made, *ledger, clock.now())) return made;
    if (auto done = issue_bootstrap(made, *ledger); !done) return std::unexpected(done.error());
    return made;
}

}  // namespace app
