// SPDX-License-Identifier: Apache-2.0
#include "app/hub_seed.hpp"

#include "azure/bulk.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/result.hpp"

namespace app {

namespace {

constexpr std::size_t largest_seed_file = 1024UL * 1024 * 1024;

bool is_empty_array(std::string_view text) {
    text = base::trim(text);
    return text.starts_with('[') && text.ends_with(']') &&
           base::trim(text.substr(1, text.size() - 2)).empty();
}

bool exists_already(azure::ErrorCode code) {
    return code == azure::ErrorCode::device_already_exists || code == azure::ErrorCode::module_already_exists;
}

}  // namespace

base::Status seed_registry(registry::Registry& registry, const std::filesystem::path& file) {
    const auto thing = "seed " + file.string();
    SP_TRY(return, const auto text, base::read_file(file, "seed", largest_seed_file));
    if (is_empty_array(text)) return {};
    auto items = azure::parse_bulk(text, 0);
    if (!items)
        return base::fail(base::Code::malformed, thing,
                          "cannot be read: " + items.error().thing + " " + items.error().reason,
                          R"(write it as [{"id": "TempSensor"}, {"id": "TempSensor", "moduleId": "mod1"}])");
    for (auto& item : *items) {
        // These two come with their device; the seed says how they prove themselves.
        const auto& module = item.identity.module;
        if (item.mode == azure::ImportMode::create && (module == "$edgeHub" || module == "$edgeAgent"))
            item.mode = azure::ImportMode::update;
    }
    SP_TRY(return, const auto result, registry.bulk(*std::move(items)));
    for (const auto& [identity, code, why, mode] : result.failures) {
        if (mode == azure::ImportMode::create && exists_already(code)) continue;
        return base::fail(base::Code::invalid_argument, thing,
                          "has an item that is refused: " + identity.text() + ": " + why);
    }
    return {};
}

}  // namespace app
