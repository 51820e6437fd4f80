// SPDX-License-Identifier: Apache-2.0
#include "check/device.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/result.hpp"
#include "edge/edge_ca.hpp"
#include "edge/est_identities.hpp"
#include "edge/service_user.hpp"

namespace check {
namespace {

using edge::Service;

edge::Uri uri_of(const std::filesystem::path& path) {
    return "file://" + path.string();
}

base::Result<pki::Chain> read_chain(const edge::Uri& uri, const std::string& thing) {
    SP_TRY(return, const auto file, edge::file_of_uri(uri));
    SP_TRY(return, const auto pem, base::read_file(file, thing));
    return pki::certificates_from_pem(pem, fmt::format("{} {}", thing, file.string()));
}

Held given(std::string id, std::string thing, const edge::Uri& certificate, std::optional<edge::Uri> key) {
    Held out{.id = id, .thing = thing, .uri = certificate};
    if (key) out.key = HeldKey{.id = id, .thing = "key of the " + thing, .uri = *key};
    return out;
}

// What a service keeps under its own name for the id.
Held made(const edge::Paths& paths, std::string id, std::string thing,
          std::optional<edge::RenewalPolicy> renewal) {
    const auto stem = edge::file_stem(id);
    auto out =
        given(id, std::move(thing), uri_of(paths.home(Service::certificates) / "certs" / (stem + ".cer")),
              uri_of(paths.home(Service::keys) / "keys" / (stem + ".key")));
    out.made = true;
    out.renewal = renewal;
    out.key->made = true;
    return out;
}

void add_device(const edge::Configuration& configuration, const edge::Paths& paths, Device& into) {
    if (!configuration.device) return;
    if (const auto* x509 = std::get_if<edge::X509Credential>(&configuration.device->credential)) {
        if (const auto* uri = std::get_if<edge::Uri>(&x509->certificate))
            into.certificates.push_back(given("device-id", "device certificate", *uri, x509->key));
        else
            into.certificates.push_back(made(paths, "device-id", "device certificate",
                                             std::get<edge::Issuance>(x509->certificate).renewal));
        return;
    }
    const auto& symmetric = std::get<edge::SymmetricCredential>(configuration.device->credential);
    into.keys.push_back({.id = "device-id",
                         .thing = "device key",
                         .uri = symmetric.value ? uri_of(paths.device_key()) : symmetric.uri,
                         .kind = HeldKey::Kind::symmetric,
                         .made = symmetric.value.has_value()});
}

void add_preloaded(const edge::Configuration& configuration, Device& into) {
    const auto& keys = configuration.preloaded_keys;
    for (const auto& [id, source] : configuration.preloaded_certificates) {
        const auto* uri = std::get_if<edge::Uri>(&source);
        if (!uri) continue;
        const auto key = keys.find(id);
        into.certificates.push_back(given(id, fmt::format("preloaded certificate {}", id), *uri,
                                          key == keys.end() ? std::nullopt : std::optional(key->second)));
    }
    for (const auto& [id, uri] : keys)
        if (!into.certificate(id))
            into.keys.push_back({.id = id, .thing = fmt::format("preloaded key {}", id), .uri = uri});
}

void add_est(const edge::Configuration& configuration, const edge::Paths& paths, Device& into) {
    for (const auto& identity : edge::est_identities(configuration)) {
        const auto& auth = identity.auth;
        if (!identity.is_obtained()) {
            into.certificates.push_back(
                given(identity.id, "EST identity", auth.identity_cert, auth.identity_pk));
            continue;
        }
        into.certificates.push_back(
            made(paths, identity.id, "EST identity",
                 configuration.est->identity_renewal.value_or(edge::RenewalPolicy{})));
        into.certificates.push_back(given(identity.bootstrap_id, "EST bootstrap certificate",
                                          auth.bootstrap_identity_cert, auth.bootstrap_identity_pk));
    }
}

void add_certificates(const edge::Configuration& configuration, const edge::Paths& paths, Device& into) {
    add_device(configuration, paths, into);
    const auto& ca = configuration.edge_ca;
    if (ca.certificate)
        into.certificates.push_back(given(edge::edge_ca_id, "Edge CA certificate", *ca.certificate, ca.key));
    else
        into.certificates.push_back(made(paths, edge::edge_ca_id, "Edge CA certificate",
                                         ca.issuance.renewal.value_or(edge::RenewalPolicy{})));
    if (const auto& local = configuration.local_ca)
        into.certificates.push_back(given("local-ca", "local CA certificate", local->first, local->second));
    if (configuration.trust_bundle)
        into.certificates.push_back(
            given("trust-bundle-user", "trust bundle", *configuration.trust_bundle, std::nullopt));
    add_est(configuration, paths, into);
    add_preloaded(configuration, into);
    for (auto& each : into.certificates) {
        each.chain = read_chain(each.uri, each.thing);
        if (each.key) into.keys.push_back(*each.key);
    }
}

// Names are wanted most where something is wrong with the rest.
void read_names(const edge::Paths& paths, Device& into) {
    auto table = edge::read_joined(paths.configuration(), paths.configuration_directory());
    if (!table) return;
    into.hostname = table->string("hostname");
    into.parent = table->string("parent_hostname");
    if (!into.parent) into.parent = table->string("local_gateway_hostname");
}

}  // namespace

std::optional<std::filesystem::path> HeldKey::file() const {
    auto path = edge::file_of_uri(uri);
    return path ? std::optional(*std::move(path)) : std::nullopt;
}

base::Result<pki::PrivateKey> read_pair(const HeldKey& key) {
    SP_TRY(return, const auto file, edge::file_of_uri(key.uri));
    SP_TRY(return, auto text, base::read_file(file, key.thing));
    const base::SecretBytes pem{std::string_view(text)};
    base::wipe(text.data(), text.size());
    return pki::PrivateKey::from_pem(pem, fmt::format("{} {}", key.thing, file.string()));
}

bool Held::not_made_yet() const {
    return made && !chain && chain.error().code == base::Code::not_found;
}

Device Device::look(edge::Paths paths, const base::Clock& clock) {
    Device out{.paths = paths,
               .clock = clock,
               .packaged = paths.root() == "/",
               .configuration = edge::read_configuration(paths),
               .hostname = {},
               .parent = {},
               .certificates = {},
               .keys = {},
               .hub_https = {}};
    read_names(paths, out);
    if (out.configuration) {
        out.hostname = out.configuration->hostname;
        add_certificates(*out.configuration, paths, out);
    }
    return out;
}

const Held* Device::certificate(std::string_view id) const {
    const auto found = std::ranges::find(certificates, id, &Held::id);
    return found == certificates.end() ? nullptr : &*found;
}

pki::TrustBundle Device::trust_bundle() const {
    std::vector<pki::Certificate> anchors;
    if (const auto* bundle = certificate("trust-bundle-user"); bundle && bundle->chain)
        anchors = *bundle->chain;
    if (const auto* ca = certificate(edge::edge_ca_id);
        ca && ca->chain && ca->chain->front().is_self_issued())
        anchors.push_back(ca->chain->front());
    return pki::TrustBundle(std::move(anchors));
}

std::optional<Reader> Device::user_of(Service service) const {
    if (!packaged) return std::nullopt;
    const auto user = edge::find_user(std::string(edge::user_name(service)));
    if (!user) return std::nullopt;
    int count = 64;
    std::vector<gid_t> groups(static_cast<std::size_t>(count));
    if (::getgrouplist(user->name.c_str(), user->gid, groups.data(), &count) < 0) {
        groups.resize(static_cast<std::size_t>(count));
        ::getgrouplist(user->name.c_str(), user->gid, groups.data(), &count);
    }
    groups.resize(static_cast<std::size_t>(count));
    return Reader{user->name, user->uid, std::move(groups)};
}

std::string Device::machine_name() const {
    char name[256]{};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

}  // namespace check
