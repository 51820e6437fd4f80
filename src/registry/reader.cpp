// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"
#include "registry/reader_impl.hpp"
#include "registry/refusals.hpp"
#include "registry/rows.hpp"

namespace registry {

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::~Reader() = default;

base::Result<std::optional<azure::Device>> Reader::device(const std::string& id) {
    return rows::device(*impl_->database, id);
}

base::Result<std::optional<azure::Module>> Reader::module(const trust::Identity& id) {
    return rows::module(*impl_->database, id);
}

base::Result<std::optional<trust::Record>> Reader::record(const trust::Identity& id) {
    if (id.is_module()) {
        SP_TRY(return, const auto found, module(id));
        if (!found) return std::nullopt;
        return found->record;
    }
    SP_TRY(return, const auto found, device(id.device));
    if (!found) return std::nullopt;
    return found->record;
}

base::Result<std::optional<azure::Twin>> Reader::twin(const trust::Identity& id) {
    return rows::twin(*impl_->database, id);
}

base::Result<std::optional<std::string>> Reader::model_id(const trust::Identity& id) {
    return rows::model_id(*impl_->database, id);
}

base::Result<std::vector<azure::Device>> Reader::devices(std::size_t top) {
    return rows::devices(*impl_->database, top);
}

base::Result<std::vector<azure::Device>> Reader::devices(const std::string& first, const std::string& last,
                                                         std::size_t most) {
    return rows::devices(*impl_->database, first, last, most);
}

base::Result<std::vector<azure::Module>> Reader::modules_behind(const trust::Identity& after,
                                                                const std::string& last, std::size_t most) {
    return rows::modules_behind(*impl_->database, after, last, most);
}

base::Result<Counts> Reader::counts() {
    return rows::counts(*impl_->database);
}

base::Result<std::vector<azure::Configuration>> Reader::configurations(std::size_t top) {
    return rows::configurations(*impl_->database, top);
}

base::Result<std::optional<azure::Configuration>> Reader::configuration(const std::string& id) {
    return rows::configuration(*impl_->database, id);
}

base::Result<std::vector<azure::Module>> Reader::modules(const std::string& device) {
    return rows::modules(*impl_->database, device);
}

base::Result<azure::ScopeResult> Reader::scope(const std::string& edge, const std::string& after,
                                               std::size_t most) {
    SP_TRY(return, const auto owner, device(edge));
    if (!owner) return refusals::not_found(refusals::thing({edge, {}}));
    if (!owner->record.edge_enabled)
        return base::fail(base::Code::invalid_argument, refusals::thing({edge, {}}), "is no IoT Edge device");
    azure::ScopeResult out;
    SP_TRY(return, out.devices,
                 rows::in_scope(*impl_->database, edge, owner->record.device_scope, after, most + 1));
    if (out.devices.size() > most) {
        out.devices.pop_back();
        if (!out.devices.empty()) out.continuation = out.devices.back().record.identity.device;
    }
    for (const auto& one : out.devices) {
        SP_TRY(return, auto modules_of_one, modules(one.record.identity.device));
        for (auto& module : modules_of_one) out.modules.push_back(std::move(module));
    }
    return out;
}

base::Result<std::optional<azure::Device>> Reader::scope_owner(const std::string& scope) {
    return rows::scope_owner(*impl_->database, scope);
}

base::Result<std::vector<CaCertificate>> Reader::ca_certificates() {
    return rows::ca_certificates(*impl_->database);
}

base::Result<std::optional<CaCertificate>> Reader::ca_certificate(const std::string& name) {
    return rows::ca_certificate(*impl_->database, name);
}

base::Result<std::optional<Policy>> Reader::policy(const std::string& name) {
    return rows::policy(*impl_->database, name);
}

base::Result<std::vector<Policy>> Reader::policies() {
    return rows::policies(*impl_->database);
}

base::Result<std::optional<std::vector<Change>>> Reader::changes(std::uint64_t since, std::size_t most) {
    SP_TRY(return, const auto last, last_change());
    if (since > last) return std::nullopt;
    SP_TRY(return, auto found, rows::changes(*impl_->database, since, most));
    // Read last: what was dropped meanwhile then counts as missed.
    SP_TRY(return, const auto oldest, rows::oldest_change(*impl_->database));
    if (since < last && (oldest == 0 || oldest > since + 1)) return std::nullopt;
    return found;
}

base::Result<std::uint64_t> Reader::last_change() {
    return rows::last_change(*impl_->database);
}

}  // namespace registry
