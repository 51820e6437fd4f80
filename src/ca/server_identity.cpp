// SPDX-License-Identifier: Apache-2.0
#include "ca/server_identity.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/layout.hpp"
#include "pki/peer_name.hpp"
#include "pki/verify.hpp"

namespace ca {
namespace {

constexpr std::size_t longest_common_name = 64;

Path identity_certificate(const Path& data) {
    return data / "server.pem";
}
Path identity_key(const Path& data) {
    return key_file(data, "server");
}

base::Instant two_thirds(const pki::Certificate& leaf) {
    return leaf.not_before() + (leaf.not_after() - leaf.not_before()) * 2 / 3;
}

struct Pair {
    pki::Chain chain;
    pki::PrivateKey key;
};

base::Result<Pair> load_pair(const Path& data) {
    SP_TRY(return, const auto pem, base::read_file(identity_certificate(data), "server certificate"));
    SP_TRY(return, auto chain, pki::certificates_from_pem(pem, "server certificate"));
    SP_TRY(return, auto key, pki::PrivateKey::load(identity_key(data).string(), "server key"));
    return Pair{std::move(chain), std::move(key)};
}

bool covers(const Pair& pair, const std::vector<std::string>& names, const Ledger& ledger,
            base::Instant now) {
    const auto& leaf = pair.chain.front();
    if (!pair.key.matches(leaf) || now >= two_thirds(leaf)) return false;
    const auto entry = ledger.find(leaf);
    if (!entry || entry->revocation) return false;
    const pki::TrustBundle trust({ledger.root()});
    return std::ranges::all_of(names, [&](const auto& text) {
        const std::optional name = pki::PeerName::parse(text);
        return pki::verify({.chain = pair.chain,
                            .trust = trust,
                            .purpose = pki::Purpose::server,
                            .name = &name,
                            .now = now})
            .verdict.accepted();
    });
}

base::Result<Pair> issue_pair(const Path& data, const std::vector<std::string>& names, Ledger& ledger) {
    SP_TRY(return, auto key, pki::PrivateKey::generate(pki::KeyType::ec_p256));
    Order order{.profile = pki::Profile::server, .key = key.public_key()};
    order.common_name = names.front().size() <= longest_common_name ? names.front() : "sallyport-ca";
    for (const auto& name : names)
        order.names.push_back((pki::PeerName::parse(name).is_address() ? "IP:" : "DNS:") + name);
    order.device = "sallyport-ca";
    order.detail = "server certificate of this CA";
    order.allow_short = true;
    SP_TRY(return, auto chain, ledger.issue(order));
    SP_TRY(return, const auto pem, key.pem());
    // The key first: a certificate beside another key is made again at the next start.
    if (auto done = base::write_atomically(identity_key(data), pem.text(), base::secret_mode); !done)
        return std::unexpected(done.error());
    if (auto done = base::write_atomically(identity_certificate(data), pki::to_pem(chain), base::public_mode);
        !done)
        return std::unexpected(done.error());
    return Pair{std::move(chain), std::move(key)};
}

}  // namespace

base::Result<ServerIdentity> ServerIdentity::load_or_issue(const std::filesystem::path& data,
                                                           std::vector<std::string> names, Ledger& ledger,
                                                           base::Instant now) {
    if (names.empty()) names = local_names();
    auto pair = load_pair(data);
    if (!pair || !covers(*pair, names, ledger, now)) pair = issue_pair(data, names, ledger);
    if (!pair) return std::unexpected(pair.error());
    const auto renew_at = two_thirds(pair->chain.front());
    SP_TRY(return, auto tls, net::ServerTls::make(std::move(pair->chain), pair->key));
    return ServerIdentity(std::move(tls), renew_at);
}

std::vector<std::string> local_names() {
    std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
    char name[256]{};
    if (::gethostname(name, sizeof name - 1) == 0 && pki::check_name(std::string("DNS:") + name) &&
        !base::equal_ignoring_case(name, "localhost"))
        names.emplace_back(name);
    return names;
}

}  // namespace ca
