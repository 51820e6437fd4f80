// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"
#include "registry/refusals.hpp"
#include "registry/rows.hpp"
#include "registry/writing.hpp"

namespace registry {
namespace {

/// A module that a content names and that is not there is made, as the edge runtime expects.
base::Status make_missing(Writing& writing, const trust::Identity& id) {
    SP_TRY(return, const auto existing, rows::module(writing.database, id));
    if (existing) return {};
    azure::ModuleWish wish;
    wish.device_id = id.device;
    wish.module_id = id.module;
    wish.managed_by = "iotEdge";
    if (const auto made = create_module(writing, wish); !made) return std::unexpected(made.error());
    return {};
}

}  // namespace

base::Result<bool> apply_content(Writing& writing, const std::string& device,
                                 const std::vector<azure::DesiredContent>& contents) {
    SP_TRY(return, const auto existing, rows::device(writing.database, device));
    if (!existing) return refusals::not_found(refusals::thing({device, {}}));
    const IfMatch any{IfMatch::Kind::any, {}};
    for (const auto& content : contents) {
        const trust::Identity id{device, content.module};
        if (id.is_module())
            if (auto there = make_missing(writing, id); !there) return std::unexpected(there.error());
        SP_TRY(return, const auto twin, rows::twin(writing.database, id));
        if (!twin) return refusals::not_found(refusals::thing(id));
        SP_TRY(return, const auto write, azure::apply_content(content, twin->desired.values));
        if (const auto written = update_twin(writing, id, write.wish, write.how, any); !written)
            return std::unexpected(written.error());
    }
    return true;
}

}  // namespace registry
