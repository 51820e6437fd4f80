// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/config.hpp"
#include "gateway/hub_link.hpp"
#include "gateway/hub_tls.hpp"
#include "gateway/scope_cache.hpp"
#include "gateway/token_source.hpp"
#include "http/client.hpp"
#include "net/connect.hpp"
#include "net/server_judgement.hpp"

namespace gateway {

/// What has changed in our scope since a number (interfaces.md 5).
struct ScopeChanges {
    std::uint64_t version = 0;
    std::vector<trust::Identity> identities;
    bool certificates = false;
    bool all = false;  ///< the number was too old: fetch everything
};

/// The hub's answer about one identity.
struct HubAnswer {
    enum class Kind {
        in_scope,      ///< `records` hold it, and its device where it is a module
        not_in_scope,  ///< the hub knows us and says no to this identity
    };
    Kind kind = Kind::not_in_scope;
    std::vector<trust::Record> records;
};

/// The calls of a gateway to its hub over HTTPS (hub.md 9.3, 9.4, interfaces.md 5), as module `$edgeHub`.
/// Reports to the link whether the hub could be reached. Errors: `unavailable` and `timeout` (no answer, 429,
/// 5xx), `unauthenticated` (the hub refuses our own token), `malformed`, and those of the workload API. On
/// its own loop.
class HubClient {
  public:
    HubClient(const Config& config, const HubTls& tls, TokenSource& tokens, HubLink& link,
              const base::Clock& clock);

    /// Everything in our scope: our own edge device, its children, and those of edge devices below it.
    net::Task<base::Result<std::vector<trust::Record>>> whole_scope();
    net::Task<base::Result<HubAnswer>> identity(trust::Identity identity, std::chrono::milliseconds limit);
    net::Task<base::Result<std::vector<VerifiedCa>>> certificates(std::chrono::milliseconds limit);
    /// Held by the hub for up to `wait` while nothing changes.
    net::Task<base::Result<ScopeChanges>> changes(std::uint64_t since, std::chrono::seconds wait);

  private:
    /// `limit` is for everything, also for the workload API that signs the token.
    net::Task<base::Result<http::Response>> call(http::Verb verb, std::string route, std::string body,
                                                 std::chrono::milliseconds limit);
    /// One edge device's direct children, all pages. chain: "child;EdgeGateway", or our own id.
    net::Task<base::Status> children(std::string chain, std::vector<trust::Record>& into);
    base::Error unexpected(const http::Response& answer, std::string_view what);

    Config config_;
    const HubTls& tls_;
    TokenSource& tokens_;
    HubLink& link_;
    const base::Clock& clock_;
    net::ServerJudgement judgement_;
};

/// Reads the answer of scopeChanges. Pure.
base::Result<ScopeChanges> read_scope_changes(std::string_view body);
/// Reads the answer of caCertificates; a certificate that does not parse is left out and named in `skipped`.
/// Pure.
base::Result<std::vector<VerifiedCa>> read_certificates(std::string_view body,
                                                        std::vector<std::string>* skipped);

}  // namespace gateway
