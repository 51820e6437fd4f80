// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "edge/json.hpp"
#include "edge/local_channel.hpp"
#include "http/client.hpp"

namespace edge {

/// One service of the edge device as another one sees it (edge-runtime.md 0.5).
struct LocalService {
    std::string name;  ///< "keys service", for errors
    std::string socket;
    std::string api_version;
    const base::Clock* clock;
    /// Where calls go over connections that stay open; null: each opens its own.
    std::shared_ptr<LocalChannel> channel{};
};

/// kept: as in the clients of the services.
LocalService local_service(std::string name, std::string socket, std::string api_version,
                           const base::Clock& clock, std::size_t kept);

/// Sends one request and reads the JSON answer (null for 204). target: path, with its query where it has one
/// but without api-version. An HTTP error becomes an Error with the service's message: invalid_argument
/// (400), not_found (404, or the 400 whose cause is "not found"), unauthenticated (401), permission_denied
/// (403), rate_limited (503: it may be asked for later), else internal.
net::Task<base::Result<json::value>> call_local(LocalService service, http::Verb verb, std::string target,
                                                std::optional<json::value> body = {},
                                                std::chrono::milliseconds limit = std::chrono::seconds(30));

/// The two halves of such a call, for a caller with a transport of its own.
http::Request local_request(const LocalService& service, http::Verb verb, const std::string& target,
                            const std::optional<json::value>& body);
base::Result<json::value> read_local_answer(const LocalService& service,
                                            base::Result<http::Response> answered);

/// A path segment as the original's clients encode it: everything that could end the segment.
std::string path_segment(std::string_view id);

}  // namespace edge
