// SPDX-License-Identifier: Apache-2.0
#include "app/hub_seed.hpp"

#include <fmt/format.h>

#include <map>

#include "azure/bulk.hpp"
#include "base/file.hpp"
#include "base/result.hpp"

namespace app {

namespace {

constexpr std::size_t largest_file = 256 * 1024 * 1024;

base::Result<std::vector<azure::BulkItem>> read_items(const std::filesystem::path& file) {
    SP_TRY(return, const auto text, base::read_file(file, "seed", largest_file));
    auto items = azure::parse_bulk(text, 0);
    if (items) return items;
    if (items.error().code == base::Code::invalid_argument) return std::vector<azure::BulkItem>();  // []
    return base::fail(base::Code::malformed, "seed " + file.string(), "is no JSON array",
                      R"(write it as [{"id": "TempSensor"}, {"id": "EdgeGateway", "moduleId": "mod1"}])");
}

/// "item 3 (device TempSensor) of seed FILE".
std::string thing_of(std::size_t index, const trust::Identity& id, const std::filesystem::path& file) {
    return fmt::format("item {} ({} {}) of seed {}", index + 1, id.is_module() ? "module" : "device",
                       id.text(), file.string());
}

std::unexpected<base::Error> refused(std::string thing, const std::string& why) {
    return base::fail(base::Code::invalid_argument, std::move(thing), "cannot be created: " + why);
}

/// These two come with their device; the seed says how they prove themselves.
bool is_system_module(const trust::Identity& id) {
    return id.module == "$edgeHub" || id.module == "$edgeAgent";
}

bool exists(azure::ErrorCode code) {
    return code == azure::ErrorCode::device_already_exists || code == azure::ErrorCode::module_already_exists;
}

}  // namespace

base::Status seed_registry(registry::Registry& registry, const std::filesystem::path& file) {
    SP_TRY(return, auto items, read_items(file));
    std::map<trust::Identity, std::string> things;
    for (std::size_t i = 0; i < items.size(); ++i) {
        auto& item = items[i];
        const auto thing = thing_of(i, item.identity, file);
        if (item.refused) return refused(thing, item.refused->text);
        if (item.mode != azure::ImportMode::create)
            return base::fail(base::Code::invalid_argument, thing,
                              "has the importMode " + std::string(azure::to_string(item.mode)),
                              "leave importMode out, or write create: a seed creates what is missing");
        if (is_system_module(item.identity)) item.mode = azure::ImportMode::update;
        things.emplace(item.identity, thing);
    }
    if (items.empty()) return {};
    SP_TRY(return, const auto result, registry.bulk(std::move(items)));
    for (const auto& failure : result.failures)
        if (!exists(failure.code)) return refused(things[failure.identity], failure.text);
    return {};
}

}  // namespace app
