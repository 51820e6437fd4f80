// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace azure {

/// One JSON object of a document, with its path, so that every error names the place.
class JsonObject {
  public:
    /// Reads a whole document, at most 32 levels deep. `malformed` where it is no JSON or no object.
    static base::Result<boost::json::value> parse(std::string_view document);
    static base::Result<JsonObject> root(const boost::json::value& document);

    JsonObject(const boost::json::object& object, std::string path)
        : object_(&object), path_(std::move(path)) {}

    /// null is as good as absent, here and below.
    base::Result<std::optional<std::string>> text(std::string_view name) const;
    base::Result<std::optional<bool>> boolean(std::string_view name) const;
    base::Result<std::optional<std::int64_t>> integer(std::string_view name) const;
    base::Result<std::optional<JsonObject>> object(std::string_view name) const;
    base::Result<const boost::json::array*> array(std::string_view name) const;  ///< nullptr: absent
    base::Result<std::string> required_text(std::string_view name) const;

    /// The object itself, for documents whose members are the caller's own.
    const boost::json::object& members() const { return *object_; }
    /// "authentication.x509Thumbprint.primaryThumbprint".
    std::string path(std::string_view name) const;
    std::unexpected<base::Error> fail(std::string_view name, std::string reason) const {
        return base::fail(base::Code::invalid_argument, path(name), std::move(reason));
    }

  private:
    const boost::json::value* find(std::string_view name) const;

    const boost::json::object* object_;  // belongs to the document, which outlives this
    std::string path_;
};

}  // namespace azure
