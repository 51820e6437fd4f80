// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "app/hub_client.hpp"

namespace app {

/// "/devices/{id}?api-version=..."
std::string device_target(const std::string& id);
/// An etag as If-Match wants it: in quotes, or "*".
std::string quoted_etag(const std::string& etag);

/// Prints the device or module of an answer in the form that was asked for.
base::Status show_identity(const HubLogin& login, const http::Response& answer);

base::Result<boost::json::object> fetch_device(const HubClient& client, const std::string& id);
/// Replaces the device with this document, where it still has the document's etag.
base::Result<http::Response> put_device(const HubClient& client, const boost::json::object& document);

bool is_edge(const boost::json::object& device);
/// Makes `device` the child of the edge device `parent`, or nobody's where it is empty; in the document
/// alone.
base::Status set_parent(const HubClient& client, const std::string& parent, boost::json::object& device);

/// The scope of the edge device right above; empty where there is none.
std::string parent_scope(const boost::json::object& device);
/// The id of the edge device that has this scope.
std::string scope_device(const std::string& scope);

}  // namespace app
