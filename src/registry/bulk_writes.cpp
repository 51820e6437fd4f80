// SPDX-License-Identifier: Apache-2.0
#include "registry/refusals.hpp"
#include "registry/rows.hpp"
#include "registry/writing.hpp"
#include "store/row_reading.hpp"

namespace registry {
namespace {

using azure::ImportMode;

const IfMatch any{IfMatch::Kind::any, {}};

IfMatch exactly(const std::string& etag) {
    if (etag.empty()) return {};
    return etag == "*" ? any : IfMatch{IfMatch::Kind::exact, etag};
}

template <class T>
base::Status status_of(const base::Result<T>& result) {
    if (!result) return std::unexpected(result.error());
    return {};
}

base::Status write_twin(Writing& writing, const azure::BulkItem& item, const IfMatch& match) {
    if (match.kind == IfMatch::Kind::absent)
        return base::fail(base::Code::precondition_failed, "twin of " + refusals::thing(item.identity),
                          "is to be updated by an etag, and the item has no twinETag");
    const auto wish = item.twin.value_or(azure::TwinWish{});
    return status_of(update_twin(writing, item.identity, wish, azure::TwinWrite::patch, match));
}

base::Status create(Writing& writing, const azure::BulkItem& item) {
    auto made = item.identity.is_module() ? status_of(create_module(writing, item.module))
                                          : status_of(create_device(writing, item.device));
    return made && item.twin ? write_twin(writing, item, any) : made;
}

base::Status update(Writing& writing, const azure::BulkItem& item, const IfMatch& match) {
    auto changed = item.identity.is_module() ? status_of(replace_module(writing, item.module, match))
                                             : status_of(replace_device(writing, item.device, match));
    return changed && item.twin ? write_twin(writing, item, any) : changed;
}

base::Status remove(Writing& writing, const azure::BulkItem& item, const IfMatch& match) {
    if (item.identity.is_module()) return status_of(delete_module(writing, item.identity, match));
    return status_of(delete_device(writing, item.identity.device, match));
}

base::Status apply(Writing& writing, const azure::BulkItem& item) {
    switch (item.mode) {
        case ImportMode::create:
            return create(writing, item);
        case ImportMode::update:
            return update(writing, item, any);
        case ImportMode::update_if_match:
            return update(writing, item, exactly(item.etag));
        case ImportMode::remove:
            return remove(writing, item, any);
        case ImportMode::remove_if_match:
            return remove(writing, item, exactly(item.etag));
        case ImportMode::update_twin:
            return write_twin(writing, item, any);
        case ImportMode::update_twin_if_match:
            return write_twin(writing, item, exactly(item.twin_etag));
    }
    return {};
}

base::Status run(store::Database& database, std::string_view sql) {
    return store::done(database.statement(sql).run());
}

/// Undone alone where it is refused: `refusal` says why. An error is one of the whole.
base::Status apply_alone(Writing& writing, const azure::BulkItem& item, std::optional<base::Error>& refusal) {
    const auto changes_before = static_cast<std::ptrdiff_t>(writing.changes.size());
    const auto twins_before = static_cast<std::ptrdiff_t>(writing.twin_changes.size());
    if (auto begun = run(writing.database, "SAVEPOINT item"); !begun) return begun;
    auto applied = apply(writing, item);
    if (!applied) {
        const auto& why = applied.error();
        if (!writing.database.in_transaction() || azure::http_status(azure_code(why)) >= 500) return applied;
        if (auto undone = run(writing.database, "ROLLBACK TO item"); !undone) return undone;
        writing.changes.erase(writing.changes.begin() + changes_before, writing.changes.end());
        writing.twin_changes.erase(writing.twin_changes.begin() + twins_before, writing.twin_changes.end());
        refusal = std::move(applied).error();
    }
    return run(writing.database, "RELEASE item");
}

azure::ErrorCode code_of(const base::Error& refusal) {
    const auto code = azure_code(refusal);
    return code == azure::ErrorCode::precondition_failed ? azure::ErrorCode::etag_does_not_match : code;
}

}  // namespace

base::Result<azure::BulkResult> write_bulk(Writing& writing, const std::vector<azure::BulkItem>& items) {
    azure::BulkResult result;
    for (const auto& item : items) {
        if (item.refused) {
            result.failures.push_back({item.identity, item.refused->code, item.refused->text, item.mode});
            continue;
        }
        std::optional<base::Error> refusal;
        if (auto applied = apply_alone(writing, item, refusal); !applied)
            return std::unexpected(std::move(applied).error());
        if (refusal)
            result.failures.push_back({item.identity, code_of(*refusal), refusal->text(), item.mode});
    }
    return result;
}

}  // namespace registry
