// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/certificates.hpp"
#include "trust/authenticate.hpp"
#include "trust/sas_token.hpp"

/// A connection attempt with everything that its judgement needs. A test takes one that is accepted and
/// changes one thing.
namespace scene {

inline constexpr std::string_view hub = "contosoiothub.local";

/// Keys by letter: base64 of 32 octets of it.
std::string key(char letter);
/// The moment at which scenes play.
inline base::Instant now() {
    return support::test_time();
}

struct Scene {
    trust::Record record;
    bool registered = true;
    std::string client_id;
    std::string token;
    pki::Chain certificates;
    std::vector<pki::Certificate> device_cas;
    std::vector<trust::PolicyKeys> policy;  ///< none or one
    bool on_behalf = false;
    std::string chain;
    std::vector<trust::Record> links;
    std::vector<bool> unknown_links;   ///< where true: looked up and not found
    std::vector<trust::Record> actor;  ///< none or one
    base::Instant when = now();

    /// "SharedAccessSignature ..." for a resource below the hub, good for an hour.
    void show_token(std::string_view path, const std::string& signing_key, std::string_view skn = {});
    void show_token_at(base::Instant expires, std::string_view path, const std::string& signing_key);
    trust::Decision decide() const;
};

/// TempSensor with a certificate of its own, registered by SHA-256.
Scene by_thumbprint();
/// TempSensor with a certificate of my_private_root_CA, which the hub has verified.
Scene by_ca();
/// TempSensor with a token under its primary key A; the secondary one is B.
Scene by_sas();
/// EdgeGateway/mod1 with a token under its key M; its device has key E.
Scene module_by_sas();
/// TempSensor by its gateway EdgeGateway, whose $edgeHub has key H.
Scene on_behalf();

trust::Record device(std::string id, trust::AuthType type = trust::AuthType::sas);
trust::Record edge(std::string id, const std::string& parent = {});
trust::Record child(std::string id, const std::string& parent);
trust::Record module(std::string device, std::string id, char key_letter);
trust::Thumbprint sha256_of(const pki::Certificate& certificate);
trust::Thumbprint sha1_of(const pki::Certificate& certificate);
pki::Certificate certificate_file(const std::string& name);

/// Made once for all tests.
struct Certificates {
    support::TestPki pki;
    support::Identity own =
        support::make_identity({.profile = pki::Profile::device, .common_name = "TempSensor"});
    support::Identity from_root = support::make_identity({.common_name = "TempSensor"}, &pki.root);
    support::Identity from_intermediate =
        support::make_identity({.common_name = "TempSensor"}, &pki.intermediate);
};
const Certificates& certificates();

/// One row of the table.
struct Case {
    std::string_view name;  ///< a sentence of behaviour
    Scene (*start)();
    void (*change)(Scene&);
    std::string_view fails_at;  ///< check id; empty: accepted
};

class Authenticate : public testing::TestWithParam<Case> {};
inline std::string name_of(const testing::TestParamInfo<Case>& one) {
    return std::string(one.param.name);
}
inline void nothing(Scene&) {}

}  // namespace scene
