// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include "registry/registry.hpp"
#include "store/database.hpp"

/// The writes of the registry, as they run on the writer thread inside a transaction.
namespace registry {

/// One write on its way: the connection, the time, and the changes that it makes.
struct Writing {
    store::Database& database;
    std::chrono::sys_time<std::chrono::milliseconds> now;
    std::vector<Change>& changes;
    std::vector<TwinChange>& twin_changes;

    base::Instant second() const { return std::chrono::floor<std::chrono::seconds>(now); }
    /// Notes a change in the same transaction.
    base::Status changed(Change change);
    /// The same, seen in `scopes` and in every scope above them.
    base::Status changed(const trust::Identity& id, bool deleted, std::vector<std::string> scopes);
    /// The same for one that was not there before.
    base::Status created(const trust::Identity& id, std::vector<std::string> scopes);
    base::Status certificates_changed();
    /// A generation id that was never given out before, whatever the clock does.
    base::Result<std::string> new_generation();
};

std::string new_etag();
/// Base64 of 32 random octets.
std::string new_key();

base::Result<azure::Device> create_device(Writing& writing, const azure::DeviceWish& wish);
base::Result<azure::Device> replace_device(Writing& writing, const azure::DeviceWish& wish,
                                           const IfMatch& match);
base::Result<bool> delete_device(Writing& writing, const std::string& id, const IfMatch& match);
base::Result<azure::Module> create_module(Writing& writing, const azure::ModuleWish& wish);
base::Result<azure::Module> replace_module(Writing& writing, const azure::ModuleWish& wish,
                                           const IfMatch& match);
base::Result<bool> delete_module(Writing& writing, const trust::Identity& id, const IfMatch& match);
/// The twin of an identity that has just been put.
base::Status make_twin(Writing& writing, const trust::Record& record);
base::Result<azure::Twin> update_twin(Writing& writing, const trust::Identity& id,
                                      const azure::TwinWish& wish, azure::TwinWrite how,
                                      const IfMatch& match);
base::Result<std::int64_t> report(Writing& writing, const trust::Identity& id, const std::string& generation,
                                  const boost::json::object& patch);
base::Result<bool> note_model(Writing& writing, const trust::Identity& id, const std::string& generation,
                              const std::string& model);
base::Result<bool> apply_content(Writing& writing, const std::string& device,
                                 const std::vector<azure::DesiredContent>& contents);
base::Result<azure::BulkResult> write_bulk(Writing& writing, const std::vector<azure::BulkItem>& items);
base::Result<Registry::PutConfiguration> put_configuration(Writing& writing, const azure::Configuration& wish,
                                                           const IfMatch& match);
base::Result<bool> delete_configuration(Writing& writing, const std::string& id, const IfMatch& match);
base::Result<Registry::PutCa> put_ca_certificate(Writing& writing, const std::string& name,
                                                 const pki::Certificate& certificate, Registry::Proof proof,
                                                 const IfMatch& match);
base::Result<bool> delete_ca_certificate(Writing& writing, const std::string& name, const IfMatch& match);
base::Result<CaCertificate> make_verification_code(Writing& writing, const std::string& name,
                                                   const IfMatch& match);
base::Result<CaCertificate> verify_ca_certificate(Writing& writing, const std::string& name,
                                                  const pki::Certificate& proof, const IfMatch& match);
base::Status make_policies(Writing& writing);
base::Result<Policy> renew_policy_key(Writing& writing, const std::string& name, KeyRenewal which);

/// The CA certificate of that name with this etag.
base::Result<CaCertificate> certificate_to_change(Writing& writing, const std::string& name,
                                                  const IfMatch& match);

/// What is stored for a wish: keys made where they are wanted and not given (`old`: kept where there are
/// any), and nothing kept that the type does not use.
base::Result<trust::Authentication> settle_authentication(const std::optional<trust::Authentication>& wish,
                                                          const trust::Authentication* old);

/// The scopes in which a device is seen: its own where it is an edge device, and its parent's.
std::vector<std::string> scopes_of(const trust::Record& device);
/// The scopes, and behind them those of the edge devices above their owners: a gateway authenticates whoever
/// lies under it at any depth (hub.md 9.3), so it must hear of them all.
base::Result<std::vector<std::string>> with_those_above(store::Database& database,
                                                        std::vector<std::string> scopes);
/// Refuses a parent that does not exist, a cycle, and more than five edge devices above each other.
base::Status check_parent(store::Database& database, const trust::Record& device,
                          const std::string& parent_scope);

}  // namespace registry
