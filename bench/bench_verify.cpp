// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "base/clock.hpp"
#include "pki/openssl.hpp"
#include "pki/profile.hpp"
#include "pki/verify.hpp"

// A path of 1 to 4 certificates below an anchor, EC and RSA, good and bad, against X509_verify_cert. Both
// sides have the anchor in a store of their own and see every certificate parsed; ours also writes down its
// steps.
namespace {

struct Path {
    pki::Chain chain;
    pki::TrustBundle trust;
    base::Instant now;
};

Path make_path(pki::KeyType type, int length) {
    const auto now = base::parse_rfc3339("2026-11-25T10:00:00Z").value();
    auto key = pki::PrivateKey::generate(type).value();
    auto issuer = pki::issue({.profile = pki::Profile::root, .key = key.public_key(), .common_name = "root"},
                             nullptr, key, now)
                      .value();
    Path path{{}, pki::TrustBundle({issuer}), now};
    for (int left = length - 1; left >= 0; --left) {
        auto next = pki::PrivateKey::generate(type).value();
        const auto profile = left == 0 ? pki::Profile::server : pki::Profile::intermediate;
        pki::IssueInput input{.profile = profile,
                              .key = next.public_key(),
                              .common_name = left == 0 ? "gateway" : "ca " + std::to_string(left)};
        if (left == 0) input.names = {"DNS:edgegateway.local"};
        issuer = pki::issue(input, &issuer, key, now).value();
        key = std::move(next);
        path.chain.insert(path.chain.begin(), issuer);
    }
    return path;
}

pki::KeyType type_of(const benchmark::State& state) {
    return state.range(0) == 0 ? pki::KeyType::ec_p256 : pki::KeyType::rsa_2048;
}

void ours(benchmark::State& state) {
    const auto path = make_path(type_of(state), static_cast<int>(state.range(1)));
    const std::optional<pki::PeerName> name = pki::PeerName::parse("edgegateway.local");
    for (auto _ : state) {
        const auto result = pki::verify({.chain = path.chain,
                                         .trust = path.trust,
                                         .purpose = pki::Purpose::server,
                                         .name = &name,
                                         .now = path.now});
        if (!result.verdict.accepted()) state.SkipWithError("refused");
        benchmark::DoNotOptimize(result.path.data());
    }
}

void openssl(benchmark::State& state) {
    const auto path = make_path(type_of(state), static_cast<int>(state.range(1)));
    const std::unique_ptr<X509_STORE, pki::FreeWith<X509_STORE_free>> store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), path.trust.anchors().front().handle());
    const pki::X509StackPtr untrusted(sk_X509_new_null());
    for (std::size_t i = 1; i < path.chain.size(); ++i) {
        X509_up_ref(path.chain[i].handle());
        sk_X509_push(untrusted.get(), path.chain[i].handle());
    }
    for (auto _ : state) {
        const std::unique_ptr<X509_STORE_CTX, pki::FreeWith<X509_STORE_CTX_free>> context(
            X509_STORE_CTX_new());
        X509_STORE_CTX_init(context.get(), store.get(), path.chain.front().handle(), untrusted.get());
        auto* parameters = X509_STORE_CTX_get0_param(context.get());
        X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
        X509_VERIFY_PARAM_set_time(parameters, path.now.time_since_epoch().count());
        X509_VERIFY_PARAM_set_auth_level(parameters, 2);
        X509_VERIFY_PARAM_set1_host(parameters, "edgegateway.local", 0);
        if (X509_verify_cert(context.get()) != 1) state.SkipWithError("refused");
    }
}

// The failing input: nothing leads to the anchor, so that every signature below has been checked in vain.
void ours_without_anchor(benchmark::State& state) {
    const auto path = make_path(type_of(state), static_cast<int>(state.range(1)));
    const auto other = make_path(type_of(state), 1);
    for (auto _ : state) {
        const auto result = pki::verify({.chain = path.chain, .trust = other.trust, .now = path.now});
        if (result.verdict.accepted()) state.SkipWithError("accepted");
    }
}

void chains(benchmark::internal::Benchmark* all) {
    all->ArgNames({"rsa", "length"})->ArgsProduct({{0, 1}, {1, 2, 3, 4}});
}

BENCHMARK(ours)->Apply(chains);
BENCHMARK(openssl)->Apply(chains);
BENCHMARK(ours_without_anchor)->Apply(chains);

}  // namespace

BENCHMARK_MAIN();
