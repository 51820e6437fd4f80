// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azure/documents.hpp"
#include "azure/errors.hpp"
#include "azure/twin.hpp"
#include "base/error.hpp"

/// Many registry writes in one document (hub.md 5.3): the body of `POST /devices` and the seed of `hub dev`.
namespace azure {

enum class ImportMode {
    create,
    update,
    update_if_match,
    remove,
    remove_if_match,
    update_twin,
    update_twin_if_match
};
/// "updateIfMatchETag", as the service spells it.
std::string_view to_string(ImportMode mode);

/// One write. `module` is empty where it is about the device itself.
struct BulkItem {
    ImportMode mode = ImportMode::create;
    trust::Identity identity;
    DeviceWish device;  ///< where it is about a device
    ModuleWish module;  ///< where it is about a module
    std::string etag;
    std::string twin_etag;
    std::optional<TwinWish> twin;  ///< tags and desired properties, where the item has any
    /// Why this item cannot be done; the others can.
    struct Refused {
        ErrorCode code;
        std::string text;
    };
    std::optional<Refused> refused;
};

/// The items of an array, at most `most` (0: any number). `malformed` where it is no JSON array,
/// invalid_argument where it is empty, too_large where it has more; what is wrong with one item alone stands
/// in the item. Items that name the same identity twice are all refused: nobody knows which one was meant.
base::Result<std::vector<BulkItem>> parse_bulk(std::string_view document, std::size_t most);

/// What became of them.
struct BulkResult {
    struct Failure {
        trust::Identity identity;
        ErrorCode code;
        std::string text;
        ImportMode mode;
    };
    std::vector<Failure> failures;
    bool successful() const { return failures.empty(); }
};
std::string to_json(const BulkResult& result);

}  // namespace azure
