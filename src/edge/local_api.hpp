// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "edge/json.hpp"
#include "http/server.hpp"

namespace edge {

/// Who calls, as the kernel tells (edge-runtime.md 0.1).
struct Caller {
    std::optional<uid_t> user;
    std::optional<pid_t> process;
};

/// A request that found its route.
struct Call {
    Caller caller;
    std::vector<std::string> ids;  ///< what stood in the places of {..}, decoded
    http::Target target;
    json::value body;  ///< null where there was none
};

using Answer = base::Result<http::Response>;

/// What a route needs of its body (edge-runtime.md 0.2).
enum class Body { none, optional, required };

struct Route {
    http::Verb verb;
    std::string_view path;   ///< "/key/{id}"
    std::string_view since;  ///< the oldest api-version that has it
    Body body;
    std::function<net::Task<Answer>(Call)> serve;
};

/// For a handler that waits for nothing.
net::Task<Answer> ready(Answer answer);
http::Response ok(const json::value& body, int status = 200);
http::Response no_content();

/// The failure `parameter "<name>" has an invalid value`, with its cause.
std::unexpected<base::Error> bad_parameter(std::string_view name, std::string cause);
/// An id that a store has not: bad parameter "id" with the cause that clients tell it by.
std::unexpected<base::Error> absent_id();

/// Which status an error has; the services differ (edge-runtime.md 0.3, 3.5).
using StatusOf = int (*)(base::Code code);
/// Keys and certificates: 400, 401, 422, else 500; an id that does not exist is 400.
int status_of_store(base::Code code);

/// {"message": "<text>"} with the chain of causes.
http::Response error_response(int status, std::string_view message);
std::string error_message(const base::Error& error, int status);

/// The routes of one local API with what all of them have in common: api-version, bodies, errors.
class LocalApi {
  public:
    LocalApi(std::string service, std::vector<std::string> versions, std::vector<Route> routes,
             StatusOf status_of);
    net::Task<http::Response> answer(http::Request request, Caller caller) const;

  private:
    std::string service_;
    std::vector<std::string> versions_;  ///< ascending
    std::vector<Route> routes_;
    StatusOf status_of_;
};

/// Whether a connection is kept open after its answer: the C# SDK's at the workload API must not be
/// (edge-runtime.md 6.3).
enum class Keep { open, closed };

/// A net::Serve for `api`, which must outlive it: has the deadlines of edge-runtime.md 0.2 and at most `most`
/// connections at a time of one user (0.4).
net::Serve serve_local(const LocalApi& api, std::size_t most, Keep keep);

}  // namespace edge
