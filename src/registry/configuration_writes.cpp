// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"
#include "registry/refusals.hpp"
#include "registry/rows.hpp"
#include "registry/writing.hpp"

namespace registry {
namespace {

constexpr std::int64_t most_configurations = 100;  // hub.md 10

base::Result<azure::Configuration> created(Writing& writing, azure::Configuration wish) {
    SP_TRY(return, const auto count, rows::configuration_count(writing.database));
    if (count >= most_configurations) return refusals::too_many_configurations();
    wish.created = writing.second();
    return wish;
}

base::Result<azure::Configuration> replaced(const azure::Configuration& old, azure::Configuration wish) {
    if (wish.content.empty()) wish.content = old.content;
    if (wish.content != old.content) return refusals::immutable_content(wish.id);
    wish.created = old.created;
    return wish;
}

}  // namespace

base::Result<Registry::PutConfiguration> put_configuration(Writing& writing, const azure::Configuration& wish,
                                                           const IfMatch& match) {
    const auto thing = refusals::configuration_thing(wish.id);
    SP_TRY(return, const auto existing, rows::configuration(writing.database, wish.id));
    const bool create = match.kind == IfMatch::Kind::absent;
    if (create && existing) return refusals::already_exists(thing);
    if (!create && !existing) return refusals::not_found(thing);
    if (existing)
        if (auto fine = refusals::check_match(match, existing->etag, thing); !fine)
            return std::unexpected(fine.error());
    SP_TRY(return, auto settled, existing ? replaced(*existing, wish) : created(writing, wish));
    settled.updated = writing.second();
    settled.etag = new_etag();
    if (auto put = rows::put(writing.database, settled); !put) return std::unexpected(put.error());
    return Registry::PutConfiguration{std::move(settled), !existing};
}

base::Result<bool> delete_configuration(Writing& writing, const std::string& id, const IfMatch& match) {
    const auto thing = refusals::configuration_thing(id);
    SP_TRY(return, const auto existing, rows::configuration(writing.database, id));
    if (!existing) return refusals::not_found(thing);
    if (match.kind == IfMatch::Kind::exact)
        if (auto fine = refusals::check_match(match, existing->etag, thing); !fine)
            return std::unexpected(fine.error());
    if (auto gone = rows::remove_configuration(writing.database, id); !gone)
        return std::unexpected(gone.error());
    return true;
}

}  // namespace registry
