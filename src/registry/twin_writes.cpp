// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"
#include "registry/refusals.hpp"
#include "registry/rows.hpp"
#include "registry/writing.hpp"

namespace registry {
namespace {

base::Result<azure::Twin> twin_of(Writing& writing, const trust::Identity& id) {
    SP_TRY(return, auto twin, rows::twin(writing.database, id));
    if (twin) return *std::move(twin);
    if (id.is_module()) {
        SP_TRY(return, const auto device, rows::device(writing.database, id.device));
        if (!device) return refusals::not_found(refusals::thing({id.device, {}}));
    }
    return refusals::not_found(refusals::thing(id));
}

}  // namespace

base::Status make_twin(Writing& writing, const trust::Record& record) {
    return rows::put(writing.database, record.identity, azure::make_twin(record.generation, writing.now));
}

base::Result<azure::Twin> update_twin(Writing& writing, const trust::Identity& id,
                                      const azure::TwinWish& wish, azure::TwinWrite how,
                                      const IfMatch& match) {
    SP_TRY(return, auto twin, twin_of(writing, id));
    // Without If-Match a twin is written as it is, unlike an identity.
    if (match.kind != IfMatch::Kind::absent)
        if (auto fine = refusals::check_match(match, twin.etag(), "twin of " + refusals::thing(id)); !fine)
            return std::unexpected(fine.error());
    SP_TRY(return, const auto touched, azure::write_twin(twin, wish, how, writing.now));
    if (!touched.any()) return twin;
    if (auto put = rows::put(writing.database, id, twin); !put) return std::unexpected(put.error());
    writing.twin_changes.push_back({.identity = id,
                                    .how = how,
                                    .tags = touched.tags ? wish.tags : std::nullopt,
                                    .desired = touched.desired ? wish.desired : std::nullopt,
                                    .reported = std::nullopt,
                                    .after = twin});
    return twin;
}

base::Result<std::int64_t> report(Writing& writing, const trust::Identity& id, const std::string& generation,
                                  const boost::json::object& patch) {
    SP_TRY(return, auto twin, twin_of(writing, id));
    if (twin.generation != generation) return refusals::not_found(refusals::thing(id));
    SP_TRY(return, const bool touched, azure::write_reported(twin, patch, writing.now));
    if (!touched) return twin.reported.version;
    if (auto put = rows::put_reported(writing.database, id, twin.reported); !put)
        return std::unexpected(put.error());
    const auto version = twin.reported.version;
    writing.twin_changes.push_back({.identity = id,
                                    .how = azure::TwinWrite::patch,
                                    .tags = std::nullopt,
                                    .desired = std::nullopt,
                                    .reported = patch,
                                    .after = std::move(twin)});
    return version;
}

base::Result<bool> note_model(Writing& writing, const trust::Identity& id, const std::string& generation,
                              const std::string& model) {
    SP_TRY(return, const auto twin, twin_of(writing, id));
    if (twin.generation != generation || twin.model_id == model) return false;
    if (auto put = rows::put_model_id(writing.database, id, model); !put) return std::unexpected(put.error());
    return true;
}

}  // namespace registry
