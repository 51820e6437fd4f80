// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "ca/approvals.hpp"
#include "ca/est_service.hpp"
#include "ca/ledger.hpp"
#include "ca/plain_http.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "net/timer.hpp"

namespace ca {

/// What the command line says in place of ca.toml.
struct ServerOptions {
    std::optional<std::string> address;
    std::optional<std::uint16_t> port;
    std::optional<std::uint16_t> http_port{};  ///< of the plain listener, which is then there in any case
    std::vector<std::string> names{};          ///< of the server's certificate; empty: those of ca.toml
};

/// `sallyport ca run`: EST over HTTPS and the admin socket, over one ledger.
/// Made before `loops` run, stopped on one of them, destroyed after they have ended and before they are.
class Server {
  public:
    static base::Result<std::unique_ptr<Server>> open(const std::filesystem::path& data,
                                                      const ServerOptions& options, net::Loops& loops,
                                                      const base::Clock& clock);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::uint16_t port() const { return est_->port(); }
    /// Of the plain listener; nullopt where there is none.
    std::optional<std::uint16_t> http_port() const;
    Ledger& ledger() { return *ledger_; }
    Approvals& approvals() { return *approvals_; }
    /// Accepts nobody any more. From a loop.
    void stop();

  private:
    Server(std::filesystem::path data, net::Loops& loops, const base::Clock& clock);
    base::Status open_books();
    base::Status open_est(const ServerOptions& options);
    base::Status open_http(const ServerOptions& options);
    base::Status open_admin();
    net::Task<> renew_identity(base::Instant when);

    std::filesystem::path data_;
    std::vector<std::string> names_;
    net::Loops& loops_;
    const base::Clock& clock_;
    std::unique_ptr<Ledger> ledger_;
    std::unique_ptr<Approvals> approvals_;
    std::unique_ptr<EstService> service_;
    std::unique_ptr<PlainHttp> plain_;
    std::unique_ptr<net::TlsListener> est_;
    std::unique_ptr<net::PlainListener> http_;
    std::unique_ptr<net::UnixListener> admin_;
    // On loop 0 alone.
    std::unique_ptr<net::Event> stopping_;
    bool stopped_ = false;
};

}  // namespace ca
