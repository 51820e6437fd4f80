// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http {

enum class Verb { get, head, post, put, patch, delete_, options, other };
std::string_view to_string(Verb verb);

/// Header fields in order; names compare without case.
class Headers {
  public:
    void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
    void set(std::string_view name, std::string value);
    /// The first field of that name.
    std::optional<std::string_view> get(std::string_view name) const;
    const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

  private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

/// The target of a request, taken apart: each path segment and each query value percent-decoded once.
/// In a query '+' stays a plus.
struct Target {
    std::vector<std::string> segments;  ///< "/devices/a%2Fb/modules/" gives {"devices", "a/b", "modules", ""}
    std::vector<std::pair<std::string, std::optional<std::string>>> query;  ///< nullopt: a key without '='
    std::optional<std::string> value(std::string_view key) const;           ///< the last one of that key
    bool has(std::string_view key) const;
    /// nullopt: not an absolute path, or a bad percent escape.
    static std::optional<Target> parse(std::string_view text);
};

struct Request {
    Verb verb = Verb::get;
    std::string raw_target = "/";  ///< as on the wire; a client sets this one
    Target target;                 ///< filled by the server
    Headers headers;
    std::string body;
};

class BodySource;

struct Response {
    int status = 200;
    Headers headers;
    std::string body;
    std::shared_ptr<BodySource> source{};  ///< in place of `body`: http/body_source.hpp
    static Response json(int status, std::string body);
    static Response text(int status, std::string body);
    static Response empty(int status);
};

/// "Not Found" for 404; a phrase for every status.
std::string_view reason_phrase(int status);

}  // namespace http
