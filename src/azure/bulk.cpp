// SPDX-License-Identifier: Apache-2.0
#include "azure/bulk.hpp"

#include <array>
#include <map>
#include <utility>

#include "azure/json_reader.hpp"
#include "azure/wishes_json.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"

namespace azure {
namespace {

namespace json = boost::json;

using ModeName = std::pair<ImportMode, std::string_view>;
constexpr std::array modes{ModeName{ImportMode::create, "create"},
                           ModeName{ImportMode::update, "update"},
                           ModeName{ImportMode::update_if_match, "updateIfMatchETag"},
                           ModeName{ImportMode::remove, "delete"},
                           ModeName{ImportMode::remove_if_match, "deleteIfMatchETag"},
                           ModeName{ImportMode::update_twin, "updateTwin"},
                           ModeName{ImportMode::update_twin_if_match, "updateTwinIfMatchETag"}};

base::Result<ImportMode> read_mode(const JsonObject& from) {
    SP_TRY(return, const auto text, from.text("importMode"));
    if (!text) return ImportMode::create;
    for (const auto& [mode, name] : modes)
        if (base::equal_ignoring_case(name, *text)) return mode;
    return base::fail(base::Code::invalid_argument, from.path("importMode"), "is \"" + *text + "\"",
                      "use create, update, updateIfMatchETag, delete, deleteIfMatchETag, updateTwin or "
                      "updateTwinIfMatchETag");
}

std::string bare(std::string etag) {
    if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') return etag.substr(1, etag.size() - 2);
    return etag;
}

/// The first of the names that is there: Node sends a device as it read it, with `etag` and `deviceId`.
base::Result<std::string> text_of(const JsonObject& from, std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
        SP_TRY(return, auto text, from.text(name));
        if (text && !text->empty()) return *std::move(text);
    }
    return std::string();
}

base::Status read_item(const JsonObject& from, BulkItem& out) {
    // Who it is about comes first, so that every other error can name it.
    SP_TRY(return, out.identity.device, text_of(from, {"id", "deviceId"}));
    SP_TRY(return, out.identity.module, text_of(from, {"moduleId"}));
    SP_TRY(return, out.mode, read_mode(from));
    if (auto fine = trust::check_id(out.identity.device, "device id"); !fine) return fine;
    if (out.identity.is_module())
        if (auto fine = trust::check_id(out.identity.module, "module id"); !fine) return fine;
    SP_TRY(return, auto etag, text_of(from, {"eTag", "etag"}));
    out.etag = bare(std::move(etag));
    SP_TRY(return, auto twin_etag, text_of(from, {"twinETag", "twinEtag"}));
    out.twin_etag = bare(std::move(twin_etag));
    // Its errors name the place in the twin, as they do for a twin's own document.
    SP_TRY(return, auto twin, twin_wish_of(JsonObject(from.members(), {})));
    if (twin.tags || twin.desired) out.twin = std::move(twin);
    if (out.identity.is_module()) {
        SP_TRY(return, out.module, module_wish_of(from));
        out.module.device_id = out.identity.device;
        out.module.module_id = out.identity.module;
    } else {
        SP_TRY(return, out.device, device_wish_of(from));
        out.device.device_id = out.identity.device;
    }
    return {};
}

}  // namespace

std::string_view to_string(ImportMode mode) {
    for (const auto& [known, name] : modes)
        if (known == mode) return name;
    return "";
}

base::Result<std::vector<BulkItem>> parse_bulk(std::string_view document, std::size_t most) {
    SP_TRY(return, const auto value, JsonObject::parse(document));
    if (!value.is_array()) return base::fail(base::Code::malformed, "JSON document", "is not an array");
    const auto& list = value.get_array();
    if (list.empty()) return base::fail(base::Code::invalid_argument, "list of devices", "is empty");
    if (most != 0 && list.size() > most)
        return base::fail(base::Code::too_large, "list of devices",
                          "has " + std::to_string(list.size()) + " items",
                          "send at most " + std::to_string(most) + " at once");
    std::vector<BulkItem> items(list.size());
    std::map<trust::Identity, std::size_t> times;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const auto place = "[" + std::to_string(i) + "]";
        const auto* object = list[i].if_object();
        if (object == nullptr) {
            items[i].refused = {ErrorCode::argument_invalid, place + " is not an object"};
            continue;
        }
        if (auto read = read_item(JsonObject(*object, place), items[i]); !read)
            items[i].refused = {ErrorCode::argument_invalid, read.error().text()};
        ++times[items[i].identity];
    }
    for (auto& item : items) {
        if (item.identity.device.empty() || times[item.identity] < 2) continue;
        item.refused = {ErrorCode::device_defined_multiple_times,
                        item.identity.text() + " is defined more than once in the request"};
    }
    return items;
}

std::string to_json(const BulkResult& result) {
    json::array failures;
    for (const auto& failure : result.failures) {
        const auto& module = failure.identity.module;
        failures.push_back(
            json::object{{"deviceId", failure.identity.device},
                         {"moduleId", module.empty() ? json::value(nullptr) : json::value(module)},
                         {"errorCode", name(failure.code)},
                         {"errorStatus", failure.text},
                         {"operation", to_string(failure.mode)}});
    }
    return json::serialize(json::object{
        {"isSuccessful", result.successful()}, {"errors", std::move(failures)}, {"warnings", json::array()}});
}

}  // namespace azure
