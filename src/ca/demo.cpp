// SPDX-License-Identifier: Apache-2.0
#include "ca/demo.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/init.hpp"
#include "ca/layout.hpp"
#include "ca/ledger.hpp"

namespace ca {
namespace {

constexpr auto demo_root = "demo_root_CA";
constexpr auto demo_intermediate = "demo_intermediate_CA";

struct DemoPair {
    pki::Chain chain;
    pki::PrivateKey key;
};

base::Status write_pair(const Path& directory, const std::string& name, const pki::Chain& chain,
                        const base::SecretBytes& key) {
    if (auto done = base::write_atomically(directory / (name + ".key.pem"), key.text(), base::secret_mode);
        !done)
        return done;
    return base::write_atomically(directory / (name + ".pem"), pki::to_pem(chain), base::public_mode);
}

/// Issues one, and writes it under its plain name.
base::Result<DemoPair> make_pair(Ledger& ledger, const Path& directory, const std::string& name, Order order,
                                 pki::PrivateKey key) {
    SP_TRY(return, auto chain, ledger.issue(order));
    SP_TRY(return, const auto pem, key.pem());
    if (auto done = write_pair(directory, name, chain, pem); !done) return std::unexpected(done.error());
    return DemoPair{std::move(chain), std::move(key)};
}

base::Status copy_ca(const Path& directory, const std::string& name, const std::string& ca,
                     const pki::Chain& chain) {
    SP_TRY(return, const auto key, base::read_secret_file(key_file(directory / "ca", ca), "CA key"));
    return write_pair(directory, name, chain, key);
}

base::Status make_leaves(const DemoInput& input, Ledger& ledger, const base::Clock& clock) {
    const auto make = [&](const std::string& name, pki::Profile profile, const std::string& subject,
                          std::vector<std::string> names) -> base::Result<DemoPair> {
        SP_TRY(return, auto key, pki::PrivateKey::generate(pki::KeyType::ec_p256));
        Order order{.profile = profile,
                    .key = key.public_key(),
                    .common_name = subject,
                    .names = std::move(names),
                    .detail = "demo-certs"};
        return make_pair(ledger, input.directory, name, std::move(order), std::move(key));
    };
    std::string gateway = base::to_lower(input.gateway);
    SP_TRY(
        return, const auto edge_ca,
              make("edge-ca", pki::Profile::edge_ca, ("iotedged workload ca " + gateway).substr(0, 64), {}));
    SP_TRY(return, const auto hub,
                 make("hub-server", pki::Profile::server, input.hub, {"DNS:" + input.hub, "DNS:localhost"}));
    SP_TRY(return, const auto identity,
                 make("edge-device-identity", pki::Profile::device, input.gateway, {}));
    SP_TRY(return, const auto downstream,
                 make("downstream-device", pki::Profile::device, input.downstream, {}));
    SP_TRY(return, const auto module, make("client", pki::Profile::client, "demo-client", {}));
    SP_TRY(return, const auto est, make("est-identity", pki::Profile::est_identity, input.gateway, {}));
    SP_TRY(return, const auto bootstrap, make("bootstrap", pki::Profile::bootstrap, input.gateway, {}));

    // What edgeHub presents, the Edge CA signs itself: the books of this CA do not see it.
    SP_TRY(return, const auto key, pki::PrivateKey::generate(pki::KeyType::ec_p256));
    SP_TRY(return, auto leaf,
                 pki::issue({.profile = pki::Profile::server,
                             .key = key.public_key(),
                             .common_name = input.hostname,
                             .names = {"DNS:" + input.hostname, "DNS:localhost"},
                             .lifetime = std::chrono::days{30}},
                            &edge_ca.chain.front(), edge_ca.key, clock.now()));
    pki::Chain chain{std::move(leaf)};
    chain.insert(chain.end(), edge_ca.chain.begin(), edge_ca.chain.end());
    SP_TRY(return, const auto pem, key.pem());
    return write_pair(input.directory, "edge-hub-server", chain, pem);
}

std::string readme(const DemoInput& input) {
    return fmt::format(
        R"(# Demo certificates

Made by `sallyport ca demo-certs`, for trying things out: everybody who has these files has the keys. Each `NAME.pem`
holds the certificate first and then its issuers without the root, each `NAME.key.pem` its private key (mode 0600).

| files | kind | what it is for |
| --- | --- | --- |
| `root-ca` | root CA | the anchor of everything below; give `root-ca.pem` to devices (trust bundle), upload it to the hub for X.509 CA authentication |
| `intermediate-ca` | intermediate CA | issues the certificates below, so that the root's key can lie elsewhere |
| `edge-ca` | Edge CA (device CA), path length 0 | `[edge_ca]` in `config.toml` of {gateway}: issues the certificates of its modules |
| `edge-hub-server` | server, issued by the Edge CA | what edgeHub presents to downstream devices at {hostname} |
| `edge-device-identity` | device identity, CN = device id | `[provisioning.authentication] identity_cert` of {gateway} |
| `downstream-device` | device identity, CN = device id | what {downstream} presents to gateway or hub |
| `hub-server` | server | what the hub {hub} presents: `hub.pem` and `hub.key` of its data directory |
| `client` | client of a module or program | X.509 authentication where no device stands behind it |
| `est-identity` | EST identity | what {gateway} presents to an EST server once it has enrolled |
| `bootstrap` | bootstrap certificate | what a new {gateway} presents to an EST server the first time: `bootstrap_identity_cert` |

`ca/` is the CA itself (`sallyport ca issue --data ca ...`, `sallyport ca list --data ca`).

Try: `openssl verify -CAfile root-ca.pem -untrusted downstream-device.pem downstream-device.pem`
)",
        fmt::arg("gateway", input.gateway), fmt::arg("hostname", input.hostname),
        fmt::arg("downstream", input.downstream), fmt::arg("hub", input.hub));
}

base::Status make_all(const DemoInput& input, const base::Clock& clock) {
    const auto& directory = input.directory;
    if (auto made =
            init({.data = directory / "ca", .root = demo_root, .chain = {demo_intermediate}}, clock.now());
        !made)
        return made;
    SP_TRY(return, const auto ledger, Ledger::open(directory / "ca", clock));
    if (auto done = copy_ca(directory, "root-ca", demo_root, {ledger->root()}); !done) return done;
    if (auto done = copy_ca(directory, "intermediate-ca", demo_intermediate, ledger->issuers()); !done)
        return done;
    if (auto done = make_leaves(input, *ledger, clock); !done) return done;
    return base::write_atomically(directory / "README.md", readme(input), base::public_mode);
}

}  // namespace

base::Status make_demo_certificates(const DemoInput& input, const base::Clock& clock) {
    std::error_code error;
    const bool there = std::filesystem::exists(input.directory, error);
    if (there && (!std::filesystem::is_directory(input.directory, error) ||
                  !std::filesystem::is_empty(input.directory, error) || error))
        return base::fail(base::Code::already_exists, "directory " + input.directory.string(),
                          "is there and not empty", "name another one; nothing is ever replaced");
    if (auto made = base::make_private_directories(input.directory); !made) return made;
    auto done = make_all(input, clock);
    if (done) return done;
    for (const auto& entry : std::filesystem::directory_iterator(input.directory, error))
        std::filesystem::remove_all(entry.path(), error);
    if (!there) std::filesystem::remove(input.directory, error);
    return done;
}

}  // namespace ca
