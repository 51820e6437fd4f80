// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "azure/document_text.hpp"
#include "azure/json_reader.hpp"
#include "azure/twin.hpp"
#include "azure/wishes_json.hpp"
#include "base/result.hpp"

namespace azure {
namespace {

namespace json = boost::json;

constexpr std::string_view desired_path = "properties.desired";
constexpr std::string_view reported_path = "properties.reported";

/// What stands in the metadata of everything that one write touches.
json::object stamp_of(Moment now, std::optional<std::int64_t> version) {
    json::object stamp{{"$lastUpdated", format_ticks(now)}};
    if (version) stamp["$lastUpdatedVersion"] = *version;
    return stamp;
}

json::object& object_at(json::object& parent, json::string_view key) {
    auto& value = parent[key];
    if (!value.is_object()) value.emplace_object();
    return value.get_object();
}

void set_stamp(json::object& metadata, const json::object& stamp) {
    for (const auto& [key, value] : stamp) metadata[key] = value;
}

void erase(json::object& from, json::string_view key) {
    if (const auto at = from.find(key); at != from.end()) from.stable_erase(at);
}

/// Values and their metadata; for tags, which have none, the metadata goes nowhere.
struct Merged {
    json::object values;
    json::object metadata;
};

void merge(json::object& values, json::object& metadata, const json::object& patch,
           const json::object& stamp) {
    set_stamp(metadata, stamp);
    for (const auto& [key, value] : patch) {
        if (value.is_null()) {
            erase(values, key);
            erase(metadata, key);
        } else if (value.is_object()) {
            const auto* before = values.if_contains(key);
            if (before == nullptr || !before->is_object()) erase(metadata, key);
            merge(object_at(values, key), object_at(metadata, key), value.get_object(), stamp);
        } else {
            values[key] = value;
            metadata[key] = stamp;
        }
    }
}

base::Result<Merged> write_section(Merged before, const json::object& wish, TwinWrite how,
                                   const json::object& stamp, std::string_view path, std::size_t largest) {
    Merged after;
    if (how == TwinWrite::patch) after = std::move(before);
    merge(after.values, after.metadata, wish, stamp);
    const auto size = twin_size(after.values);
    if (size <= largest) return after;
    return base::fail(base::Code::invalid_argument, std::string(path),
                      "would have " + std::to_string(size) + " octets",
                      "keep it within " + std::to_string(largest) + ", keys included");
}

base::Result<json::object> checked(json::object values, std::string_view path) {
    if (auto fine = check_twin_values(values, std::string(path)); !fine)
        return std::unexpected(std::move(fine).error());
    return values;
}

/// Without the members that we ourselves add to properties when we show them.
json::object without_own(json::object properties) {
    erase(properties, "$metadata");
    erase(properties, "$version");
    return properties;
}

}  // namespace

Twin make_twin(std::string generation, Moment now) {
    Twin twin;
    twin.generation = std::move(generation);
    twin.desired.metadata = stamp_of(now, std::nullopt);
    twin.reported.metadata = twin.desired.metadata;
    return twin;
}

base::Result<TwinWish> twin_wish_of(const JsonObject& from) {
    TwinWish wish;
    SP_TRY(return, const auto tags, from.object("tags"));
    if (tags) {
        SP_TRY(return, wish.tags, checked(tags->members(), "tags"));
    }
    SP_TRY(return, const auto properties, from.object("properties"));
    if (!properties) return wish;
    SP_TRY(return, const auto desired, properties->object("desired"));
    if (!desired) return wish;
    SP_TRY(return, wish.desired_version, desired->integer("$version"));
    SP_TRY(return, wish.desired, checked(without_own(desired->members()), desired_path));
    return wish;
}

base::Result<TwinWish> parse_twin(std::string_view document) {
    SP_TRY(return, const auto value, JsonObject::parse(document));
    SP_TRY(return, const auto root, JsonObject::root(value));
    return twin_wish_of(root);
}

base::Result<json::object> parse_reported(std::string_view document) {
    SP_TRY(return, auto value, JsonObject::parse(document));
    SP_TRY(return, const auto root, JsonObject::root(value));
    return checked(without_own(root.members()), reported_path);
}

base::Result<TwinTouched> write_twin(Twin& twin, const TwinWish& wish, TwinWrite how, Moment now) {
    if (wish.desired_version && *wish.desired_version != twin.desired.version) {
        return base::fail(base::Code::precondition_failed, std::string(desired_path),
                          "has the $version " + std::to_string(twin.desired.version) + " by now, not " +
                              std::to_string(*wish.desired_version),
                          "read the twin again, then repeat the change");
    }
    const auto touches = [&](const std::optional<json::object>& section) {
        return section && (how == TwinWrite::replace || !section->empty());
    };
    const TwinTouched touched{touches(wish.tags), touches(wish.desired)};
    Merged tags, desired;
    if (touched.tags) {
        SP_TRY(return, tags, write_section({twin.tags, {}}, *wish.tags, how, {}, "tags", largest_tags));
    }
    if (touched.desired) {
        const auto stamp = stamp_of(now, twin.desired.version + 1);
        SP_TRY(return, desired,
                     write_section({twin.desired.values, twin.desired.metadata}, *wish.desired, how, stamp,
                                   desired_path, largest_properties));
    }
    // Nothing fails from here on.
    if (touched.tags) twin.tags = std::move(tags.values);
    if (touched.desired) {
        twin.desired = {std::move(desired.values), std::move(desired.metadata), twin.desired.version + 1};
    }
    if (touched.any()) {
        ++twin.counter;
        ++twin.version;
    }
    return touched;
}

base::Result<bool> write_reported(Twin& twin, const json::object& patch, Moment now) {
    if (patch.empty()) return false;
    SP_TRY(return, auto merged,
                 write_section({twin.reported.values, twin.reported.metadata}, patch, TwinWrite::patch,
                               stamp_of(now, std::nullopt), reported_path, largest_properties));
    twin.reported = {std::move(merged.values), std::move(merged.metadata), twin.reported.version + 1};
    return true;
}

}  // namespace azure
