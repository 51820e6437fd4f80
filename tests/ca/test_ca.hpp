// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ca/server.hpp"
#include "http/message.hpp"
#include "pki/csr.hpp"
#include "support/certificates.hpp"
#include "support/loops.hpp"
#include "support/settable_clock.hpp"
#include "support/temporary_directory.hpp"

namespace ca_test {

inline const std::string enroll = "/.well-known/est/simpleenroll";
inline const std::string reenroll = "/.well-known/est/simplereenroll";

/// A leaf with its key, and what is sent behind it in TLS.
struct Client {
    pki::Chain chain;
    pki::PrivateKey key;
};

struct Ask {
    std::string path{};
    std::string body{};
    const Client* client = nullptr;
    std::string authorization{};
    std::optional<http::Verb> verb{};  ///< POST where there is a body, else GET
    std::map<std::string, std::string> headers{};
};

/// A real CA in this process, on a free port of the loopback, with real TLS: labels device, edge-ca and
/// server as delivered, certificates of its own profile bootstrap, and the user line-3 with the password
/// secret, who may enrol names that begin with line-3-.
class TestCa {
  public:
    /// more: further tables of ca.toml.
    explicit TestCa(const std::string& more = {});
    ~TestCa();

    ca::Server& server() { return *server_; }
    ca::Ledger& ledger() { return server_->ledger(); }
    support::SettableClock& clock() { return clock_; }
    std::filesystem::path data() const { return directory_ / "ca"; }
    /// Ends the server and opens it again over what it has stored; its port changes.
    void restart();

    http::Response ask(const Ask& ask) const;
    /// The line "<reason id>: ..." of an answer, up to the colon; the status where it has none.
    static std::string reason(const http::Response& answer);
    /// POST of a request in base64 with the right type.
    http::Response enrol(const std::string& path, const std::string& body, const Client* client = nullptr,
                         const std::string& authorization = {}) const;

    /// What the CA issues to whom, past EST.
    Client issue(pki::Profile profile, const std::string& common_name, std::vector<std::string> names = {},
                 std::optional<std::chrono::seconds> lifetime = {});
    pki::Certificate root() const;
    std::size_t issued_count();
    /// Lines of the audit log that contain `text`, all that was asked before being written.
    int audit_lines(const std::string& text);

  private:
    void open();
    support::TemporaryDirectory directory_;
    support::SettableClock clock_;
    std::unique_ptr<net::Loops> loops_;
    std::unique_ptr<ca::Server> server_;
    std::thread thread_;
};

/// Base64 in one line of the DER of a PEM request.
std::string body_of(const std::string& pem);
/// A request by make_csr_pem, as a body.
std::string request(const pki::CsrWish& wish, const pki::PrivateKey& key);
pki::PrivateKey new_key(pki::KeyType type = pki::KeyType::ec_p256);
/// "Basic ..." of user and password.
std::string basic(std::string_view user_and_password);
/// The certificates of a 200 answer.
pki::Chain certificates_in(const http::Response& answer);

}  // namespace ca_test
