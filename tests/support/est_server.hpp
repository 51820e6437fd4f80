// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "est/message.hpp"
#include "http/server.hpp"
#include "net/listener.hpp"
#include "net/tls.hpp"
#include "pki/certs_only.hpp"
#include "pki/csr.hpp"
#include "support/certificates.hpp"
#include "support/loops.hpp"

namespace support {

/// A small EST server in this process: root, issuing CA and a TLS certificate for localhost and 127.0.0.1. It
/// issues what the label says, as est-and-pki.md 3.2 has it, or does whatever a test wants of it.
class EstServer {
  public:
    struct Asked {
        std::string path;
        std::string client;  ///< common name of the client certificate; empty: none
        std::string authorization;
        std::optional<pki::Csr> csr;
        std::string body;
    };
    /// What a test does in place of issuing; nullopt: issue all the same.
    using Behaviour = std::function<std::optional<http::Response>(const Asked& asked)>;

    explicit EstServer(const base::Clock& clock = base::system_clock())
        : clock_(clock),
          root_(make(pki::Profile::root, "EST test root", {}, std::chrono::days(7300), nullptr)),
          issuer_(
              make(pki::Profile::intermediate, "EST test issuing CA", {}, std::chrono::days(3650), &root_)),
          server_(make(pki::Profile::server, "localhost", {"DNS:localhost", "IP:127.0.0.1"},
                       std::chrono::days(3650), &issuer_)) {
        auto tls = net::ServerTls::make({server_.certificate, issuer_.certificate}, server_.key);
        auto serve = http::serve(
            [this](http::Request request, const net::Peer& peer) { return answered(this, request, peer); },
            [](int status, std::string_view reason) {
                return http::Response::text(status, std::string(reason));
            });
        listener_ = *net::TlsListener::open(loops_.loops(), "127.0.0.1", 0, *tls, std::move(serve));
    }
    ~EstServer() { stop(); }

    std::uint16_t port() const { return port_ ? port_ : listener_->port(); }
    std::string url(std::string_view label = {}) const {
        return fmt::format("https://localhost:{}/.well-known/est{}{}", port(), label.empty() ? "" : "/",
                           label);
    }
    /// From now on nobody answers.
    void stop() {
        if (!listener_) return;
        port_ = listener_->port();
        listener_->close();
        loops_.stop();
        listener_.reset();
    }

    const Identity& root() const { return root_; }
    const Identity& issuer() const { return issuer_; }
    pki::TrustBundle trust() const { return pki::TrustBundle({root_.certificate}); }
    /// A client certificate that this server knows as one to start with.
    Identity bootstrap(std::chrono::seconds lifetime = std::chrono::days(3650)) const {
        return make(pki::Profile::bootstrap, "bootstrap of EdgeGateway", {}, lifetime, &issuer_);
    }

    void behave(Behaviour behaviour) {
        const std::lock_guard lock(mutex_);
        behaviour_ = std::move(behaviour);
    }
    void issue_for(std::chrono::seconds lifetime) {
        const std::lock_guard lock(mutex_);
        lifetime_ = lifetime;
    }
    std::vector<Asked> asked() const {
        const std::lock_guard lock(mutex_);
        return asked_;
    }
    /// "bootstrap of EdgeGateway at device" for each enrolment, in order.
    std::vector<std::string> enrolments() const {
        std::vector<std::string> out;
        for (const auto& each : asked())
            if (each.csr) out.push_back(fmt::format("{} at {}", each.client, label_of(each.path)));
        return out;
    }

    static http::Response certificates(const pki::Chain& chain) {
        auto response = http::Response::text(200, est::write_body(pki::certs_only(chain)));
        response.headers.set("Content-Type", "application/pkcs7-mime; smime-type=certs-only");
        return response;
    }
    pki::Certificate issue(const pki::Csr& csr, pki::Profile profile) const {
        pki::IssueInput input{.profile = profile, .key = csr.key, .common_name = csr.common_name};
        input.names = csr.names;
        {
            const std::lock_guard lock(mutex_);
            input.lifetime = lifetime_;
        }
        return *pki::issue(input, &issuer_.certificate, issuer_.key, clock_.now());
    }

  private:
    Identity make(pki::Profile profile, std::string name, std::vector<std::string> names,
                  std::chrono::seconds lifetime, const Identity* issuer) const {
        IdentityWish wish;
        wish.profile = profile;
        wish.common_name = std::move(name);
        wish.names = std::move(names);
        wish.lifetime = lifetime;
        wish.now = clock_.now();
        return make_identity(wish, issuer);
    }
    static std::string label_of(const std::string& path) {
        const auto read = est::read_path(path);
        return read ? read->label : "?";
    }

    static net::Task<http::Response> answered(EstServer* self, http::Request request, const net::Peer& peer) {
        co_return self->answer(request, peer);
    }
    http::Response answer(const http::Request& request, const net::Peer& peer) {
        Asked asked;
        asked.path = request.raw_target;
        asked.client = peer.certificates.empty() ? "" : peer.certificates.front().common_name();
        asked.authorization = request.headers.get("authorization").value_or("");
        asked.body = request.body;
        if (request.verb == http::Verb::post)
            if (const auto der = est::read_body(request.body))
                if (auto csr = pki::csr_from_der(*der)) asked.csr = *std::move(csr);
        Behaviour behaviour;
        {
            const std::lock_guard lock(mutex_);
            asked_.push_back(asked);
            behaviour = behaviour_;
        }
        if (behaviour)
            if (auto response = behaviour(asked)) return *std::move(response);
        const auto path = est::read_path(asked.path);
        if (!path) return http::Response::text(404, "path: is none of EST\n");
        if (path->operation == est::Operation::cacerts)
            return certificates({issuer_.certificate, root_.certificate});
        if (!asked.csr) return http::Response::text(400, "csr.der: is no request\n");
        return certificates({issue(*asked.csr, profile_of(*path, asked))});
    }
    static pki::Profile profile_of(const est::Path& path, const Asked& asked) {
        if (asked.client.starts_with("bootstrap")) return pki::Profile::est_identity;
        if (path.label == "server") return pki::Profile::server;
        if (asked.csr->asks_ca) return pki::Profile::edge_ca;
        const bool identity = asked.csr->usages == std::vector<std::string>{"clientAuth"};
        return identity ? pki::Profile::est_identity : pki::Profile::device;
    }

    const base::Clock& clock_;
    Identity root_, issuer_, server_;
    mutable std::mutex mutex_;
    Behaviour behaviour_;
    std::optional<std::chrono::seconds> lifetime_;
    std::vector<Asked> asked_;
    ServingLoops loops_;
    std::unique_ptr<net::TlsListener> listener_;
    std::uint16_t port_ = 0;
};

}  // namespace support
