// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "hub/authorize.hpp"
#include "hub/call.hpp"
#include "net/task.hpp"

namespace hub {

using Answer = net::Task<http::Response>;

/// One line of the API. path: "/devices/{d}/modules/{m}"; words match without case, "{d}" takes one segment.
struct Route {
    http::Verb verb;
    std::string_view path;
    Needs needs;
    Answer (*handle)(Call& call);
};

/// Everything that the hub answers over HTTPS (docs/reference/hub.md).
std::span<const Route> routes();

/// Finds the route, proves the caller, answers. peer: outlives the task.
net::Task<http::Response> dispatch(const Services& services, http::Request request, const net::Peer& peer);

}  // namespace hub
