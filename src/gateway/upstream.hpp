// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <variant>

#include "azure/message.hpp"
#include "gateway/config.hpp"
#include "gateway/hub_link.hpp"
#include "gateway/hub_tls.hpp"
#include "gateway/scope_sync.hpp"
#include "gateway/token_source.hpp"
#include "mqtt/client.hpp"
#include "trust/identity.hpp"

namespace gateway {

/// Whether a hub can take this message at all: its size as the hub counts it, and a topic that MQTT can
/// carry.
bool fits_upstream(const trust::Identity& identity, const azure::Message& message);

/// The hub has spoken about an identity: it is disabled, or not in our scope any more.
struct NotWanted {
    std::string reason;
};
/// The hub was there and did not let us in; another try may.
struct NotNow {
    base::Error why;
};
/// The hub could not be reached; the link knows and says when to try again.
struct NotReached {};
struct Stopped {};
using Opened = std::variant<std::shared_ptr<mqtt::Client>, NotWanted, NotNow, NotReached, Stopped>;

/// Opens connections to the hub on behalf of downstream identities (hub.md 9.6): the client's ids,
/// `$edgeHub`'s token, an auth chain that ends in our edge device. On the loop of `sync`.
class Upstream {
  public:
    Upstream(const Config& config, const HubTls& tls, SharedScope& scope, ScopeSync& sync,
             TokenSource& tokens, HubLink& link, const base::Clock& clock);
    /// Waits for its turn, connects, and reports to the link.
    net::Task<Opened> open(trust::Identity identity);

  private:
    /// Asks the hub before anything is given up on: only its own word, of now, counts.
    net::Task<Opened> verdict_of_hub(trust::Identity identity, base::Error why);
    bool is_wanted(const trust::Identity& identity) const;
    mqtt::Client::Options options(const trust::Identity& identity, std::string chain,
                                  std::string token) const;

    Config config_;
    const HubTls& tls_;
    SharedScope& scope_;
    ScopeSync& sync_;
    TokenSource& tokens_;
    HubLink& link_;
    const base::Clock& clock_;
};

}  // namespace gateway
