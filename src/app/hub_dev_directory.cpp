// SPDX-License-Identifier: Apache-2.0
#include "app/hub_dev_directory.hpp"

#include <algorithm>

#include "app/dev.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/init.hpp"
#include "ca/layout.hpp"
#include "ca/ledger.hpp"
#include "pki/peer_name.hpp"
#include "pki/verify.hpp"
#include "registry/registry.hpp"

namespace app {

namespace {

constexpr const char* root_name = "sallyport-hub-dev-ca";
constexpr std::chrono::days least_rest{30};  // of a server certificate that is kept
constexpr std::size_t longest_common_name = 64;
constexpr std::string_view marker = "# Written by `sallyport hub dev` at each start";

base::Status check_ours(const std::filesystem::path& config) {
    if (!std::filesystem::exists(config)) return {};
    SP_TRY(return, const auto text, base::read_file(config, "configuration"));
    if (text.starts_with(marker)) return {};
    return base::fail(base::Code::already_exists, "file " + config.string(),
                      "is the configuration of a hub that is not for development",
                      "serve it with sallyport hub run --data " + config.parent_path().string() +
                          ", or name another directory with --data");
}

bool still_fits(const std::filesystem::path& data, const std::vector<std::string>& names,
                const pki::TrustBundle& trust, base::Instant now) {
    const auto pem = base::read_file(data / "hub.pem", "hub certificate");
    if (!pem) return false;
    const auto chain = pki::certificates_from_pem(*pem, "hub certificate");
    const auto key = pki::PrivateKey::load((data / "hub.key").string(), "hub key");
    if (!chain || !key || !key->matches(chain->front())) return false;
    return std::ranges::all_of(names, [&](const auto& text) {
        const std::optional name = pki::PeerName::parse(text);
        const pki::VerifyInput question{.chain = *chain,
                                        .trust = trust,
                                        .purpose = pki::Purpose::server,
                                        .name = &name,
                                        .now = now + least_rest};
        return pki::verify(question).verdict.accepted();
    });
}

/// Key and certificate; a start that finds the one without the other makes both again.
base::Status issue_server_certificate(const std::filesystem::path& data,
                                      const std::vector<std::string>& names) {
    SP_TRY(return, const auto ledger, ca::Ledger::open(data / "ca", base::system_clock()));
    SP_TRY(return, const auto key, pki::PrivateKey::generate(pki::KeyType::ec_p256));
    ca::Order order{.profile = pki::Profile::server,
                    .key = key.public_key(),
                    .common_name = names.front().size() <= longest_common_name ? names.front() : "hub",
                    .detail = "hub dev"};
    for (const auto& name : names)
        order.names.push_back((pki::PeerName::parse(name).is_address() ? "IP:" : "DNS:") + name);
    SP_TRY(return, const auto chain, ledger->issue(order));
    SP_TRY(return, const auto pem, key.pem());
    if (auto done = base::write_atomically(data / "hub.key", pem.text(), base::secret_mode); !done)
        return done;
    return base::write_atomically(data / "hub.pem", pki::to_pem(chain), base::public_mode);
}

base::Status make_certificates(const std::filesystem::path& data, const std::filesystem::path& ca_file,
                               const std::vector<std::string>& names, base::Instant now) {
    const auto ca_data = data / "ca";
    if (!std::filesystem::exists(ca::config_file(ca_data))) {
        if (auto made = ca::init({.data = ca_data, .root = root_name, .chain = {}}, now); !made) return made;
    }
    SP_TRY(return, const auto root, base::read_file(ca_file, "CA certificate"));
    SP_TRY(return, const auto trust, pki::TrustBundle::from_pem(root, "CA file " + ca_file.string()));
    if (still_fits(data, names, trust, now)) return {};
    return issue_server_certificate(data, names);
}

}  // namespace

base::Result<DevHub> make_dev_hub(const DevWish& wish, base::Instant now) {
    const auto& data = wish.data;
    if (auto fine = base::make_private_directories(data); !fine) return std::unexpected(fine.error());
    SP_TRY(return, const auto lock, base::DirectoryLock::take(data));
    const auto config_file = data / "hub.toml";
    if (auto fine = check_ours(config_file); !fine) return std::unexpected(fine.error());
    const auto names = dev_names(wish.hostnames, wish.listen.address);
    const auto ca_file = ca::certificate_file(data / "ca", root_name);
    if (auto made = make_certificates(data, ca_file, names, now); !made) return std::unexpected(made.error());
    {
        SP_TRY(return, const auto registry,
                     registry::Registry::open(data / "registry.db", base::system_clock()));
        if (auto made = registry->make_policies(); !made) return std::unexpected(made.error());
    }
    const auto text = std::string(marker) + ": changes do not last.\n\n" +
                      hub::initial_config(names, wish.listen, "hub.pem", "hub.key");
    if (auto done = base::write_atomically(config_file, text, base::secret_mode); !done)
        return std::unexpected(done.error());
    SP_TRY(return, auto config, hub::read_config(data, {}, {}));
    return DevHub{std::move(config), ca_file};
}

}  // namespace app
