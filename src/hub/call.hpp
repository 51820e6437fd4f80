// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "hub/answer.hpp"
#include "hub/services.hpp"
#include "net/stream.hpp"

namespace hub {

/// Who calls, proven.
struct Caller {
    std::string policy;  ///< the policy that signed the token; empty where an identity signed itself
    std::optional<Sender> sender;  ///< the identity that proved itself
    std::string text() const {
        return policy.empty() ? (sender ? sender->identity.text() : std::string("nobody"))
                              : "policy " + policy;
    }
};

/// One request on its way through the house. Lives in the frame of the task that answers it.
struct Call {
    const Services& services;
    LoopState& here;
    const net::Peer& peer;
    http::Request request;
    base::Instant now;
    std::map<std::string, std::string, std::less<>> captured;  ///< "{d}" of the path, decoded
    Caller caller;
    std::string tracking;  ///< the id under which a refusal is told, logged and explained

    const std::string& at(std::string_view name) const { return captured.find(name)->second; }
    /// The device or module that the path names by {d} and {m}.
    trust::Identity identity() const {
        const auto module = captured.find("m");
        return {at("d"), module == captured.end() ? std::string() : module->second};
    }
    http::Response refuse(azure::ErrorCode code, std::string text) const {
        return refuse(Refusal{code, std::move(text)});
    }
    http::Response refuse(const Refusal& refusal) const { return hub::refuse(refusal, tracking, now); }
    http::Response refuse(const base::Error& error) const { return refuse(to_refusal(error)); }
    /// The If-Match header in any of its spellings (hub.md 5.2).
    registry::IfMatch if_match() const { return registry::IfMatch::parse(request.headers.get("If-Match")); }
};

}  // namespace hub
