// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/result.hpp"
#include "registry/refusals.hpp"
#include "registry/rows.hpp"
#include "registry/writing.hpp"

namespace registry {
namespace {

constexpr std::string_view system_modules[] = {"$edgeAgent", "$edgeHub"};

base::Status check_edge_authentication(const trust::Record& device) {
    if (!device.edge_enabled || device.authentication.type != trust::AuthType::certificate_authority)
        return {};
    return base::fail(
        base::Code::invalid_argument, "authentication.type certificateAuthority",
        "cannot be combined with capabilities.iotEdge true: X.509 CA authentication is not supported "
        "directly with IoT Edge",
        "register the device with selfSigned and its thumbprints, or with sas");
}

std::string parent_of(const trust::Record& device) {
    return device.parent_scopes.empty() ? std::string() : device.parent_scopes.front();
}

/// The parent that a wish asks for; nullopt: as it is. A leaf may name it in deviceScope or in parentScopes,
/// where a document that was read and sent back holds the old value in the other one; the one that differs
/// from it counts.
base::Result<std::optional<std::string>> wished_parent(const azure::DeviceWish& wish,
                                                       const trust::Record& device, const std::string& old) {
    if (wish.parent_scopes && wish.parent_scopes->size() > 1)
        return refusals::device_scope(wish.parent_scopes->at(1), "is a second parent", "give one parent");
    std::optional<std::string> by_list;
    if (wish.parent_scopes)
        by_list = wish.parent_scopes->empty() ? std::string() : wish.parent_scopes->front();
    if (device.edge_enabled) {
        if (wish.device_scope && !wish.device_scope->empty() && *wish.device_scope != device.device_scope)
            return refusals::device_scope(*wish.device_scope, "cannot become the scope of an IoT Edge device",
                                          "give its parent's scope in parentScopes");
        return by_list;
    }
    if (wish.device_scope && (*wish.device_scope != old || !by_list)) return wish.device_scope;
    return by_list;
}

/// Gives the device the parent that is wished for, by the rules. before: null where it is new.
base::Status settle_parent(Writing& writing, const azure::DeviceWish& wish, trust::Record& device,
                           const trust::Record* before) {
    const auto old = before != nullptr ? parent_of(*before) : std::string();
    SP_TRY(return, const auto wished, wished_parent(wish, device, old));
    const auto parent = wished.value_or(old);
    // A parent that is gone by now is no reason to refuse a write about something else.
    const bool becomes_edge = device.edge_enabled && (before == nullptr || !before->edge_enabled);
    if (parent != old || becomes_edge)
        if (auto fine = check_parent(writing.database, device, parent); !fine) return fine;
    device.parent_scopes.clear();
    if (!parent.empty()) device.parent_scopes.push_back(parent);
    if (!device.edge_enabled) device.device_scope = parent;
    return {};
}

base::Status make_system_modules(Writing& writing, const trust::Record& device) {
    for (const auto id : system_modules) {
        azure::Module module;
        module.record.identity = {device.identity.device, std::string(id)};
        SP_TRY(return, const auto existing, rows::module(writing.database, module.record.identity));
        if (existing) continue;
        SP_TRY(return, module.record.generation, writing.new_generation());
        module.record.authentication.type = trust::AuthType::none;
        module.managed_by = "iotEdge";
        module.etag = new_etag();
        if (auto put = rows::put(writing.database, module); !put) return put;
        if (auto made = make_twin(writing, module.record); !made) return made;
        if (auto noted = writing.created(module.record.identity, scopes_of(device)); !noted) return noted;
    }
    return {};
}

void settle_status(Writing& writing, const azure::DeviceWish& wish, azure::Device& device) {
    if (wish.status && *wish.status != device.record.status) {
        device.record.status = *wish.status;
        device.status_updated = writing.second();
    }
    device.record.device_status = device.record.status;
    if (wish.status_reason) device.status_reason = *wish.status_reason;
}

/// Makes the device an edge device where the wish says so.
base::Status settle_edge(const azure::DeviceWish& wish, trust::Record& device) {
    const bool wished = wish.edge_enabled.value_or(device.edge_enabled);
    if (device.edge_enabled && !wished)
        return base::fail(base::Code::invalid_argument, "capabilities.iotEdge",
                          "cannot be taken from a device", "delete the device and create it again");
    if (wished && !device.edge_enabled) {
        device.edge_enabled = true;
        device.device_scope = azure::make_scope(device.identity.device, device.generation);
    }
    return {};
}

std::vector<std::string> both(std::vector<std::string> before, const std::vector<std::string>& after) {
    for (const auto& scope : after)
        if (std::find(before.begin(), before.end(), scope) == before.end()) before.push_back(scope);
    return before;
}

}  // namespace

base::Result<azure::Device> create_device(Writing& writing, const azure::DeviceWish& wish) {
    if (auto fine = trust::check_id(wish.device_id, "device id"); !fine) return std::unexpected(fine.error());
    SP_TRY(return, const auto existing, rows::device(writing.database, wish.device_id));
    azure::Device device;
    auto& record = device.record;
    record.identity.device = wish.device_id;
    if (existing) return refusals::already_exists(refusals::thing(record.identity));
    SP_TRY(return, record.generation, writing.new_generation());
    if (auto fine = settle_edge(wish, record); !fine) return std::unexpected(fine.error());
    if (auto fine = settle_parent(writing, wish, record, nullptr); !fine)
        return std::unexpected(fine.error());
    SP_TRY(return, record.authentication, settle_authentication(wish.authentication, nullptr));
    if (auto fine = check_edge_authentication(record); !fine) return std::unexpected(fine.error());
    settle_status(writing, wish, device);
    device.etag = new_etag();

    if (auto put = rows::put(writing.database, device); !put) return std::unexpected(put.error());
    if (auto made = make_twin(writing, record); !made) return std::unexpected(made.error());
    if (auto noted = writing.created(record.identity, scopes_of(record)); !noted)
        return std::unexpected(noted.error());
    if (record.edge_enabled)
        if (auto made = make_system_modules(writing, record); !made) return std::unexpected(made.error());
    return device;
}

base::Result<azure::Device> replace_device(Writing& writing, const azure::DeviceWish& wish,
                                           const IfMatch& match) {
    SP_TRY(return, const auto existing, rows::device(writing.database, wish.device_id));
    const auto thing = refusals::thing({wish.device_id, {}});
    if (!existing) return refusals::not_found(thing);
    if (auto fine = refusals::check_match(match, existing->etag, thing); !fine)
        return std::unexpected(fine.error());
    auto device = *existing;
    auto& record = device.record;
    const auto before = scopes_of(record);
    if (auto fine = settle_edge(wish, record); !fine) return std::unexpected(fine.error());
    if (auto fine = settle_parent(writing, wish, record, &existing->record); !fine)
        return std::unexpected(fine.error());
    SP_TRY(return, record.authentication,
                 settle_authentication(wish.authentication, &existing->record.authentication));
    if (auto fine = check_edge_authentication(record); !fine) return std::unexpected(fine.error());
    settle_status(writing, wish, device);
    device.etag = new_etag();

    if (auto put = rows::put(writing.database, device); !put) return std::unexpected(put.error());
    const auto scopes = both(before, scopes_of(record));
    if (auto noted = writing.changed(record.identity, false, scopes); !noted)
        return std::unexpected(noted.error());
    if (record.edge_enabled && !existing->record.edge_enabled)
        if (auto made = make_system_modules(writing, record); !made) return std::unexpected(made.error());
    return device;
}

base::Result<bool> delete_device(Writing& writing, const std::string& id, const IfMatch& match) {
    SP_TRY(return, const auto existing, rows::device(writing.database, id));
    const auto thing = refusals::thing({id, {}});
    if (!existing) return refusals::not_found(thing);
    if (auto fine = refusals::check_match(match, existing->etag, thing); !fine)
        return std::unexpected(fine.error());
    const auto scopes = scopes_of(existing->record);
    SP_TRY(return, const auto modules, rows::modules(writing.database, id));
    for (const auto& module : modules)
        if (auto noted = writing.changed(module.record.identity, true, scopes); !noted)
            return std::unexpected(noted.error());
    if (auto gone = rows::remove_modules(writing.database, id); !gone) return std::unexpected(gone.error());
    if (auto gone = rows::remove(writing.database, {id, {}}); !gone) return std::unexpected(gone.error());
    if (auto noted = writing.changed({id, {}}, true, scopes); !noted) return std::unexpected(noted.error());
    return true;
}

}  // namespace registry
