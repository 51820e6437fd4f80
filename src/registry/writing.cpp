// SPDX-License-Identifier: Apache-2.0
#include "registry/writing.hpp"

#include <algorithm>

#include "base/result.hpp"
#include "pki/digest.hpp"
#include "registry/rows.hpp"

namespace registry {
namespace {

constexpr std::size_t shortest_key = 16;
constexpr std::size_t longest_key = 64;

base::Status check_key(const std::string& key, std::string_view which) {
    const auto octets = base::from_base64(key);
    if (octets && octets->size() >= shortest_key && octets->size() <= longest_key) return {};
    return base::fail(base::Code::invalid_argument, "authentication.symmetricKey." + std::string(which),
                      octets ? "has " + std::to_string(octets->size()) + " octets" : "is not base64",
                      "give base64 of 16 to 64 octets, or leave it empty to have one made");
}

base::Result<std::string> settle_key(const std::string& wished, const std::string& old,
                                     std::string_view which) {
    if (wished.empty()) return old.empty() ? new_key() : old;
    if (auto fine = check_key(wished, which); !fine) return std::unexpected(fine.error());
    return wished;
}

}  // namespace

std::string new_etag() {
    return base::to_base64(pki::random_bytes(9));
}
std::string new_key() {
    return base::to_base64(pki::random_secret(32).bytes());
}

base::Status Writing::changed(Change change) {
    if (auto noted = rows::append(database, change); !noted) return noted;
    changes.push_back(std::move(change));
    return {};
}

base::Status Writing::certificates_changed() {
    return changed(
        {.number = 0, .device = {}, .module = {}, .deleted = false, .certificates = true, .scopes = {}});
}

base::Status Writing::changed(const trust::Identity& id, bool deleted, std::vector<std::string> scopes) {
    SP_TRY(return, auto seen_in, with_those_above(database, std::move(scopes)));
    return changed({.number = 0,
                    .device = id.device,
                    .module = id.module,
                    .deleted = deleted,
                    .certificates = false,
                    .scopes = std::move(seen_in)});
}

base::Status Writing::created(const trust::Identity& id, std::vector<std::string> scopes) {
    if (auto noted = changed(id, false, std::move(scopes)); !noted) return noted;
    changes.back().created = true;
    return {};
}

base::Result<std::string> Writing::new_generation() {
    std::int64_t last = 0;
    {
        auto query = database.statement("SELECT value FROM counters WHERE name = 'generation'");
        SP_TRY(return, const bool there, query.step());
        if (there) last = query.integer(0);
    }
    const auto next = std::max<std::int64_t>(std::stoll(azure::make_generation(now, 0)), last + 1);
    auto note = database.statement(
        "INSERT INTO counters(name, value) VALUES('generation', ?1) ON CONFLICT(name) DO UPDATE SET value = "
        "?1");
    if (auto noted = note.bind(1, next).run(); !noted) return std::unexpected(noted.error());
    return std::to_string(next);
}

base::Result<trust::Authentication> settle_authentication(const std::optional<trust::Authentication>& wish,
                                                          const trust::Authentication* old) {
    if (!wish && old != nullptr) return *old;
    const auto wished = wish.value_or(trust::Authentication{});
    trust::Authentication out;
    out.type = wished.type;
    if (wished.type == trust::AuthType::sas) {
        SP_TRY(return, out.primary_key,
                     settle_key(wished.primary_key, old ? old->primary_key : "", "primaryKey"));
        SP_TRY(return, out.secondary_key,
                     settle_key(wished.secondary_key, old ? old->secondary_key : "", "secondaryKey"));
    }
    if (wished.type == trust::AuthType::self_signed) {
        if (!wished.primary_thumbprint && !wished.secondary_thumbprint)
            return base::fail(base::Code::invalid_argument, "authentication.x509Thumbprint",
                              "has no thumbprint for the type selfSigned",
                              "give primaryThumbprint or secondaryThumbprint");
        out.primary_thumbprint = wished.primary_thumbprint;
        out.secondary_thumbprint = wished.secondary_thumbprint;
    }
    return out;
}

}  // namespace registry
