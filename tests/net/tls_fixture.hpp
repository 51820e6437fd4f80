// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "net/connect.hpp"
#include "net/listener.hpp"
#include "net/tls.hpp"
#include "support/loops.hpp"

namespace net_tests {

using namespace std::chrono_literals;

inline constexpr std::chrono::milliseconds generous = 20s;

/// edgegateway.local below the article's two CAs, and what a client needs to judge it.
struct Actors {
    support::TestPki pki;
    support::Identity gateway = support::make_identity({.profile = pki::Profile::server,
                                                        .common_name = "edgegateway.local",
                                                        .names = {"DNS:edgegateway.local"}},
                                                       &pki.intermediate);
    support::StoppedClock clock;

    /// Presents leaf, intermediate and root: the root must not reach the wire.
    std::shared_ptr<const net::ServerTls> server() const {
        return net::ServerTls::make({gateway.certificate, pki.intermediate.certificate, pki.root.certificate},
                                    gateway.key)
            .value();
    }
    std::shared_ptr<const net::ClientTls> client() const { return client_trusting(pki.root.certificate); }
    static std::shared_ptr<const net::ClientTls> client_trusting(pki::Certificate root) {
        net::ClientTls::Options options;
        options.trust =
            std::make_shared<const pki::TrustBundle>(std::vector<pki::Certificate>{std::move(root)});
        return net::ClientTls::make(std::move(options)).value();
    }
    std::shared_ptr<const net::ClientTls> client_presenting(const support::Identity& identity) const {
        net::ClientTls::Options options;
        options.trust =
            std::make_shared<const pki::TrustBundle>(std::vector<pki::Certificate>{pki.root.certificate});
        options.chain = {identity.certificate};
        options.key = identity.key.share();
        return net::ClientTls::make(std::move(options)).value();
    }
};

inline std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text));
}

/// Reads exactly `size` bytes; what came before an error, with the error.
inline net::Task<base::Result<std::string>> read_exactly(net::Stream& stream, std::size_t size,
                                                         std::chrono::milliseconds limit = generous) {
    std::string text(size, '\0');
    std::size_t have = 0;
    while (have < size) {
        const auto into = std::as_writable_bytes(std::span(text)).subspan(have);
        const auto got = co_await stream.read_some(into, limit);
        if (!got) co_return std::unexpected(got.error());
        have += *got;
    }
    co_return text;
}

/// Gives back what comes, until the peer ends.
inline net::Task<> echo(net::Stream stream) {
    std::vector<std::byte> buffer(16 * 1024);
    for (;;) {
        const auto got = co_await stream.read_some(buffer, generous);
        if (!got) co_return;
        const auto written = co_await stream.write_all(std::span(buffer).first(*got), generous);
        if (!written) co_return;
    }
}

}  // namespace net_tests
