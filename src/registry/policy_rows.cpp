// SPDX-License-Identifier: Apache-2.0
#include "registry/rows.hpp"
#include "store/row_reading.hpp"

namespace registry::rows {

using store::collect;
using store::done;
using store::instant;
using store::only;
using store::seconds;
namespace {

base::Result<Policy> read_policy(const store::Statement& row) {
    return Policy{row.text(0), static_cast<unsigned>(row.integer(1)), row.text(2), row.text(3)};
}

base::Result<CaCertificate> read_certificate(const store::Statement& row) {
    const auto name = row.text(0);
    SP_TRY(return, auto certificate, pki::Certificate::from_der(row.blob(1), "CA certificate " + name));
    return CaCertificate{.name = name,
                         .certificate = std::move(certificate),
                         .verified = row.integer(2) == 1,
                         .etag = row.text(3),
                         .created = instant(row.integer(4)),
                         .updated = instant(row.integer(5)),
                         .verification_code = row.text(6)};
}

}  // namespace

base::Result<std::optional<Policy>> policy(store::Database& database, std::string_view name) {
    auto query =
        database.statement("SELECT name, rights, primary_key, secondary_key FROM policies WHERE name = ?");
    return only<Policy>(query.bind(1, name), read_policy);
}

base::Result<std::vector<Policy>> policies(store::Database& database) {
    auto query =
        database.statement("SELECT name, rights, primary_key, secondary_key FROM policies ORDER BY name");
    return collect<Policy>(query, read_policy);
}

base::Status put(store::Database& database, const Policy& policy) {
    auto row = database.statement(
        "INSERT INTO policies(name, rights, primary_key, secondary_key) VALUES(?1, ?2, ?3, ?4)"
        " ON CONFLICT(name) DO UPDATE SET rights=?2, primary_key=?3, secondary_key=?4");
    row.bind(1, policy.name).bind(2, std::int64_t{policy.rights});
    return done(row.bind(3, policy.primary_key).bind(4, policy.secondary_key).run());
}

base::Result<std::optional<CaCertificate>> ca_certificate(store::Database& database, std::string_view name) {
    auto query = database.statement(
        "SELECT name, der, verified, etag, created, updated, verification_code FROM ca_certificates"
        " WHERE name = ?");
    return only<CaCertificate>(query.bind(1, name), read_certificate);
}

base::Result<std::vector<CaCertificate>> ca_certificates(store::Database& database) {
    auto query = database.statement(
        "SELECT name, der, verified, etag, created, updated, verification_code FROM ca_certificates"
        " ORDER BY name");
    return collect<CaCertificate>(query, read_certificate);
}

base::Status put(store::Database& database, const CaCertificate& certificate) {
    auto row = database.statement(
        "INSERT INTO ca_certificates(name, der, verified, etag, created, updated, verification_code)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7)"
        " ON CONFLICT(name) DO UPDATE SET der=?2, verified=?3, etag=?4, updated=?6, verification_code=?7");
    row.bind(1, certificate.name)
        .bind(2, certificate.certificate.der())
        .bind(3, std::int64_t{certificate.verified});
    row.bind(4, certificate.etag).bind(5, seconds(certificate.created)).bind(6, seconds(certificate.updated));
    return done(row.bind(7, certificate.verification_code).run());
}

base::Status remove_ca_certificate(store::Database& database, std::string_view name) {
    auto row = database.statement("DELETE FROM ca_certificates WHERE name = ?");
    return done(row.bind(1, name).run());
}

}  // namespace registry::rows
