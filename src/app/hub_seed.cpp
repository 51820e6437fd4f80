// SPDX-License-Identifier: Apache-2.0
#include "app/hub_seed.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <latch>
#include <variant>
#include <vector>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "trust/record.hpp"

namespace app {

namespace {

namespace json = boost::json;

constexpr std::size_t largest_file = 256 * 1024 * 1024;

struct Item {
    std::string thing;  ///< "item 3 (device TempSensor) of seed FILE"
    std::variant<azure::DeviceWish, azure::ModuleWish> wish;
};

std::string text_of(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// The error of an item, with the item in front.
base::Error about(const std::string& thing, const base::Error& why) {
    return {why.code, thing, "cannot be created: " + why.thing + " " + why.reason, why.fix};
}

base::Result<Item> read_item(const json::value& value, std::string thing) {
    const auto* object = value.if_object();
    if (object == nullptr) return base::fail(base::Code::malformed, thing, "is no JSON object");
    const auto id = text_of(*object, "id");
    const auto module = text_of(*object, "moduleId");
    thing += fmt::format(" ({} {}{}{})", module.empty() ? "device" : "module", id, module.empty() ? "" : "/",
                         module);
    if (id.empty()) return base::fail(base::Code::malformed, thing, "has no id");
    if (const auto mode = text_of(*object, "importMode");
        !mode.empty() && !base::equal_ignoring_case(mode, "create")) {
        return base::fail(base::Code::invalid_argument, thing, "has the importMode " + mode,
                          "leave importMode out, or write create: a seed creates what is missing");
    }
    // A bulk item is the document of the device with `id` for `deviceId`.
    json::object document = *object;
    document["deviceId"] = id;
    const auto text = json::serialize(document);
    const auto failed = [&](const base::Error& why) { return std::unexpected(about(thing, why)); };
    if (module.empty()) {
        if (auto fine = trust::check_id(id, "device id"); !fine) return failed(fine.error());
        auto wish = azure::parse_device(text);
        if (!wish) return failed(wish.error());
        return Item{std::move(thing), *std::move(wish)};
    }
    if (auto fine = trust::check_id(module, "module id"); !fine) return failed(fine.error());
    auto wish = azure::parse_module(text);
    if (!wish) return failed(wish.error());
    return Item{std::move(thing), *std::move(wish)};
}

base::Result<std::vector<Item>> read_items(const std::filesystem::path& file) {
    const auto thing = "seed " + file.string();
    SP_TRY(return, const auto text, base::read_file(file, "seed", largest_file));
    boost::system::error_code failed;
    const auto value = json::parse(text, failed);
    const auto* array = failed ? nullptr : value.if_array();
    if (array == nullptr)
        return base::fail(base::Code::malformed, thing, "is no JSON array",
                          R"(write it as [{"id": "TempSensor"}, {"id": "EdgeGateway", "moduleId": "mod1"}])");
    std::vector<Item> items;
    for (std::size_t i = 0; i < array->size(); ++i) {
        SP_TRY(return, auto item, read_item((*array)[i], fmt::format("item {} of {}", i + 1, thing)));
        items.push_back(std::move(item));
    }
    return items;
}

/// One item on its way; a thing that exists is as good as one that was created.
template <class T>
registry::Done<T> noting(base::Status& into, std::latch& left) {
    return [&into, &left](base::Result<T> result) {
        if (!result && result.error().code != base::Code::already_exists)
            into = std::unexpected(std::move(result).error());
        left.count_down();
    };
}

}  // namespace

base::Status seed_registry(registry::Registry& registry, const std::filesystem::path& file) {
    SP_TRY(return, auto items, read_items(file));
    // All at once: the writer commits them in groups, in their order.
    std::vector<base::Status> results(items.size());
    std::latch left(static_cast<std::ptrdiff_t>(items.size()));
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (auto* device = std::get_if<azure::DeviceWish>(&items[i].wish)) {
            registry.create_device(std::move(*device), noting<azure::Device>(results[i], left));
            continue;
        }
        auto& module = std::get<azure::ModuleWish>(items[i].wish);
        // These two come with their device; the seed says how they prove themselves.
        if (module.module_id == "$edgeHub" || module.module_id == "$edgeAgent")
            registry.replace_module(std::move(module), {registry::IfMatch::Kind::any, {}},
                                    noting<azure::Module>(results[i], left));
        else
            registry.create_module(std::move(module), noting<azure::Module>(results[i], left));
    }
    left.wait();
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (!results[i]) return std::unexpected(about(items[i].thing, results[i].error()));
    }
    return {};
}

}  // namespace app
