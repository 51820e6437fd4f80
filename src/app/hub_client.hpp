// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <boost/json/fwd.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/command.hpp"
#include "azure/connection_string.hpp"
#include "base/error.hpp"
#include "http/client.hpp"

namespace app {

/// How a command finds and proves itself to a hub, and how it prints.
struct HubLogin {
    std::string login;    ///< connection string; empty: IOTHUB_CONNECTION_STRING
    std::string ca_file;  ///< empty: IOTHUB_CA_FILE, else the OS trust store
    std::string output = "text";
    std::string hub_name;
    std::string resource_group;
    bool json() const { return output == "json"; }
};
/// people: what it prints unless --output says json: "text" or "env".
void add_login_options(CLI::App& command, HubLogin& login, const std::string& people = "text");
/// The connection string that was given; fails with usage where none was.
base::Result<std::string> login_text(const HubLogin& login);
/// The file of --ca or IOTHUB_CA_FILE; empty: the OS trust store.
std::string ca_file_of(const HubLogin& login);
/// An option that may stand alone or be followed by true or false, as az takes both.
void add_truth_option(CLI::App& command, const std::string& names, std::function<void(bool)> set,
                      const std::string& what);

/// Speaks the service REST API of a hub with a policy's token, a new one for each request.
class HubClient {
  public:
    static base::Result<HubClient> make(const HubLogin& login);

    struct Ask {
        http::Verb verb = http::Verb::get;
        std::string target{};                   ///< path and query, encoded
        std::string body{};                     ///< JSON where no header says otherwise; empty: none
        std::optional<std::string> if_match{};  ///< "*", or an etag in quotes
        std::chrono::seconds limit{60};
        std::vector<std::pair<std::string, std::string>> headers{};
    };
    /// The answer of a 2xx. Another status fails with the service's own words: not_found, already_exists,
    /// precondition_failed, unauthenticated, invalid_argument, unavailable (5xx).
    base::Result<http::Response> send(const Ask& ask) const;
    const std::string& host() const { return target_.host; }

  private:
    HubClient() = default;
    azure::ConnectionString login_;
    net::TlsTarget target_;
    std::shared_ptr<const net::ClientTls> tls_;
};

/// Exit::unknown for what a retry or another network may change, Exit::no for what the hub has refused.
Exit report_hub(const base::Error& error);
/// Has `command` run `work(*options)` and report how it went.
template <class Options>
void on_run(CLI::App& command, Run& run, std::shared_ptr<Options> options,
            base::Status (*work)(const Options&)) {
    command.callback([options, work, &run] {
        run = [options, work] {
            const auto done = work(*options);
            return done ? Exit::done : report_hub(done.error());
        };
    });
}
/// Ends a path of the service API.
inline constexpr std::string_view api_version = "?api-version=2021-04-12";
/// "/devices/a%23b": a path of segments, each encoded.
std::string path_of(std::initializer_list<std::string_view> segments);
/// For people or programs: JSON with two blanks of indentation and the members in their order.
void print_json(const boost::json::value& value);
/// Parses what the service sent; `malformed` where it is no JSON.
base::Result<boost::json::value> parse_answer(const http::Response& response);

}  // namespace app
