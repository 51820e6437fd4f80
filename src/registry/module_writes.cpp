// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"
#include "registry/refusals.hpp"
#include "registry/rows.hpp"
#include "registry/writing.hpp"

namespace registry {
namespace {

constexpr std::int64_t most_modules = 50;

bool is_system_module(const trust::Identity& id, const trust::Record& device) {
    return device.edge_enabled && (id.module == "$edgeAgent" || id.module == "$edgeHub");
}

base::Result<azure::Device> device_of(Writing& writing, const std::string& id) {
    SP_TRY(return, auto device, rows::device(writing.database, id));
    if (!device) return refusals::not_found(refusals::thing({id, {}}));
    return *std::move(device);
}

base::Result<azure::Module> module_of(Writing& writing, const trust::Identity& id) {
    SP_TRY(return, auto module, rows::module(writing.database, id));
    if (!module) return refusals::not_found(refusals::thing(id));
    return *std::move(module);
}

}  // namespace

base::Result<azure::Module> create_module(Writing& writing, const azure::ModuleWish& wish) {
    if (auto fine = trust::check_id(wish.module_id, "module id"); !fine) return std::unexpected(fine.error());
    SP_TRY(return, const auto device, device_of(writing, wish.device_id));
    azure::Module module;
    auto& record = module.record;
    record.identity = {wish.device_id, wish.module_id};
    SP_TRY(return, const auto existing, rows::module(writing.database, record.identity));
    if (existing) return refusals::already_exists(refusals::thing(record.identity));
    SP_TRY(return, const auto count, rows::module_count(writing.database, wish.device_id));
    if (count >= most_modules) return refusals::too_many_modules(wish.device_id);
    SP_TRY(return, record.generation, writing.new_generation());
    SP_TRY(return, record.authentication, settle_authentication(wish.authentication, nullptr));
    record.status = device.record.status;
    record.device_status = device.record.status;
    module.managed_by = wish.managed_by.value_or("");
    module.etag = new_etag();

    if (auto put = rows::put(writing.database, module); !put) return std::unexpected(put.error());
    if (auto made = make_twin(writing, record); !made) return std::unexpected(made.error());
    if (auto noted = writing.created(record.identity, scopes_of(device.record)); !noted)
        return std::unexpected(noted.error());
    return module;
}

base::Result<azure::Module> replace_module(Writing& writing, const azure::ModuleWish& wish,
                                           const IfMatch& match) {
    const trust::Identity id{wish.device_id, wish.module_id};
    SP_TRY(return, const auto device, device_of(writing, wish.device_id));
    SP_TRY(return, auto module, module_of(writing, id));
    if (auto fine = refusals::check_match(match, module.etag, refusals::thing(id)); !fine)
        return std::unexpected(fine.error());
    const auto old = module.record.authentication;
    SP_TRY(return, module.record.authentication, settle_authentication(wish.authentication, &old));
    if (wish.managed_by) module.managed_by = *wish.managed_by;
    module.etag = new_etag();

    if (auto put = rows::put(writing.database, module); !put) return std::unexpected(put.error());
    if (auto noted = writing.changed(id, false, scopes_of(device.record)); !noted)
        return std::unexpected(noted.error());
    return module;
}

base::Result<bool> delete_module(Writing& writing, const trust::Identity& id, const IfMatch& match) {
    SP_TRY(return, const auto device, device_of(writing, id.device));
    SP_TRY(return, const auto module, module_of(writing, id));
    if (is_system_module(id, device.record)) return refusals::system_module(id);
    if (auto fine = refusals::check_match(match, module.etag, refusals::thing(id)); !fine)
        return std::unexpected(fine.error());
    if (auto gone = rows::remove(writing.database, id); !gone) return std::unexpected(gone.error());
    if (auto noted = writing.changed(id, true, scopes_of(device.record)); !noted)
        return std::unexpected(noted.error());
    return true;
}

}  // namespace registry
