// SPDX-License-Identifier: Apache-2.0
#include "ca/server.hpp"

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "ca/admin.hpp"
#include "ca/events.hpp"
#include "ca/layout.hpp"
#include "ca/server_identity.hpp"
#include "http/server.hpp"

namespace ca {
namespace {

constexpr std::chrono::hours renewal_retry{1};
constexpr net::HandshakeLimits handshakes{.time = std::chrono::seconds{10}};
constexpr http::Limits est_limits{.body = 64 * 1024,
                                  .header = 16 * 1024,
                                  .head_deadline = std::chrono::seconds{20},
                                  .body_deadline = std::chrono::seconds{30},
                                  .idle = std::chrono::seconds{30}};

net::Task<http::Response> answer_at_once(http::Response response) {
    co_return response;
}

http::Response plain_error(int status, std::string_view reason) {
    return http::Response::text(status, std::string(reason) + "\n");
}
http::Response nothing_here() {
    return plain_error(404, "here are /crl/, /ocsp and /ca/ alone");
}

}  // namespace

Server::Server(std::filesystem::path data, net::Loops& loops, const base::Clock& clock)
    : data_(std::move(data)), loops_(loops), clock_(clock) {}

Server::~Server() = default;

base::Result<std::unique_ptr<Server>> Server::open(const std::filesystem::path& data,
                                                   const ServerOptions& options, net::Loops& loops,
                                                   const base::Clock& clock) {
    std::unique_ptr<Server> server(new Server(data, loops, clock));
    if (auto fine = server->open_books(); !fine) return std::unexpected(fine.error());
    if (auto fine = server->open_est(options); !fine) return std::unexpected(fine.error());
    if (auto fine = server->open_http(options); !fine) return std::unexpected(fine.error());
    if (auto fine = server->open_admin(); !fine) return std::unexpected(fine.error());
    return server;
}

base::Status Server::open_books() {
    SP_TRY(return, ledger_, Ledger::open(data_, clock_));
    SP_TRY(return, approvals_, Approvals::open(approvals_file(data_)));
    SP_TRY(return, service_, EstService::open(*ledger_, *approvals_, clock_));
    SP_TRY(return, plain_, PlainHttp::open(*ledger_, data_, clock_));
    SP_TRY(return, const auto policy, base::read_file(config_file(data_), "configuration"));
    const Actor self{.kind = Actor::Kind::command, .id = "ca-run", .peer = {}};
    ledger_->write({.kind = "start",
                    .actor = self,
                    .label = {},
                    .profile = {},
                    .reason = {},
                    .serial = {},
                    .subject = {},
                    .detail = "ca.toml sha256 " + base::to_hex(pki::sha256(base::as_bytes(policy)))});
    return {};
}

base::Status Server::open_est(const ServerOptions& options) {
    const auto& config = ledger_->config().est;
    names_ = options.names.empty() ? config.names : options.names;
    SP_TRY(return, const auto identity, ServerIdentity::load_or_issue(data_, names_, *ledger_, clock_.now()));
    // CRLs and OCSP are to be had here too (est-and-pki.md 1.2).
    http::Handler handler = [service = service_.get(), routes = plain_->routes()](
                                http::Request request, const net::Peer& peer) -> net::Task<http::Response> {
        if (auto answer = routes(request)) return answer_at_once(*std::move(answer));
        return service->answer(std::move(request), peer);
    };
    SP_TRY(return, est_,
                 net::TlsListener::open(
                     loops_, options.address.value_or(config.address), options.port.value_or(config.port),
                     identity.tls(),
                     http::serve(std::move(handler), EstService::answer_of_server, est_limits), handshakes));
    loops_.at(0).spawn("server_identity", renew_identity(identity.renew_at()));
    return {};
}

base::Status Server::open_http(const ServerOptions& options) {
    const auto& config = ledger_->config().http;
    if (!config.serves && !options.http_port) return {};
    http::Handler handler = [routes = plain_->routes()](http::Request request, const net::Peer&) {
        auto answer = routes(request);
        return answer_at_once(answer ? *std::move(answer) : nothing_here());
    };
    SP_TRY(return, http_,
                 net::PlainListener::open(loops_, config.address, options.http_port.value_or(config.port),
                                          http::serve(std::move(handler), plain_error, est_limits)));
    return {};
}

std::optional<std::uint16_t> Server::http_port() const {
    return http_ ? std::optional(http_->port()) : std::nullopt;
}

base::Status Server::open_admin() {
    SP_TRY(return, admin_,
                 net::UnixListener::open(loops_.at(0), admin_socket_file(data_).string(), base::secret_mode,
                                         serve_admin({*ledger_, *approvals_, clock_})));
    return {};
}

/// New key and certificate at two thirds of the old one's life; open connections keep theirs.
net::Task<> Server::renew_identity(base::Instant when) {
    stopping_ = std::make_unique<net::Event>();
    while (!stopped_) {
        const bool told = co_await stopping_->wait_until(when, clock_);
        if (told || stopped_ || clock_.now() < when) co_return;
        const auto fresh = ServerIdentity::load_or_issue(data_, names_, *ledger_, clock_.now());
        if (fresh) {
            est_->replace(fresh->tls());
            base::log::info(events::server_identity_renewed,
                            {{"not_after", base::format_rfc3339(fresh->tls()->chain().front().not_after())}});
        } else {
            base::log::error(events::server_identity_failed, fresh.error());
        }
        when = fresh ? fresh->renew_at() : clock_.now() + renewal_retry;
    }
}

void Server::stop() {
    est_->close();
    if (http_) http_->close();
    admin_->close();
    loops_.at(0).post([this] {
        stopped_ = true;
        if (stopping_) stopping_->notify();
    });
}

}  // namespace ca
