// SPDX-License-Identifier: Apache-2.0
#include "scene.hpp"

namespace scene {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view sensor = "devices/TempSensor";
constexpr std::string_view mod1 = "devices/EdgeGateway/modules/mod1";

Scene by_policy() {
    auto s = by_sas();
    s.policy = {
        {.name = "device", .primary_key = key('P'), .secondary_key = key('Q'), .device_connect = true}};
    s.show_token("", key('P'), "device");
    return s;
}

/// A token whose resource stands in it as it is given here.
void show_resource(Scene& s, std::string resource, const std::string& signing_key) {
    trust::UnsignedToken token{
        std::move(resource), std::to_string((now() + minutes(30)).time_since_epoch().count()), {}};
    const auto mac = pki::hmac_sha256(*base::from_base64(signing_key), base::as_bytes(token.to_sign()));
    s.token = token.finish(base::to_base64(mac));
}

void show_certificate(Scene& s) {
    s.certificates = {certificates().own.certificate};
}

const Case sas_cases[] = {
    {"PrimaryKey", by_sas, nothing, ""},
    {"SecondaryKey", by_sas, [](Scene& s) { s.show_token(sensor, key('B')); }, ""},
    {"AnotherKey", by_sas, [](Scene& s) { s.show_token(sensor, key('C')); }, "token.signature"},
    {"KeyOfAnotherDeviceWithItsName", by_sas, [](Scene& s) { s.show_token("devices/TempSensor2", key('A')); },
     "token.resource"},
    {"ExpiresInAWhile", by_sas, [](Scene& s) { s.show_token_at(now() + seconds(30), sensor, key('A')); }, ""},
    {"ExpiredWithinTheSkew", by_sas, [](Scene& s) { s.show_token_at(now() - minutes(5), sensor, key('A')); },
     ""},
    {"ExpiredBeyondTheSkew", by_sas,
     [](Scene& s) { s.show_token_at(now() - minutes(5) - seconds(1), sensor, key('A')); }, "token.expiry"},
    {"ExpiryThatIsNoNumber", by_sas,
     [](Scene& s) { s.token.replace(s.token.find("&se=") + 4, std::string::npos, "soon"); }, "token.expiry"},
    {"ExpiryThatWasChanged", by_sas, [](Scene& s) { s.token.back() = s.token.back() == '1' ? '2' : '1'; },
     "token.signature"},
    {"AnotherHub", by_sas, [](Scene& s) { show_resource(s, "other.local%2Fdevices%2FTempSensor", key('A')); },
     "token.resource"},
    {"NameOfTheGateway", by_sas,
     [](Scene& s) { show_resource(s, "edgegateway.local%2Fdevices%2FTempSensor", key('A')); }, ""},
    {"PortBehindTheHost", by_sas,
     [](Scene& s) { show_resource(s, "contosoiothub.local%3A8883%2Fdevices%2FTempSensor", key('A')); }, ""},
    {"LowerCasedWhole", by_sas,
     [](Scene& s) { show_resource(s, "contosoiothub.local%2fdevices%2ftempsensor", key('A')); }, ""},
    {"NotEncoded", by_sas,
     [](Scene& s) { show_resource(s, "contosoiothub.local/devices/TempSensor", key('A')); }, ""},
    {"ResourceAboveTheDevice", by_sas, [](Scene& s) { s.show_token("", key('A')); }, ""},
    {"ResourceOfAModule", by_sas, [](Scene& s) { s.show_token("devices/TempSensor/modules/m", key('A')); },
     "token.resource"},
    {"Malformed", by_sas, [](Scene& s) { s.token = "SharedAccessSignature sr=x"; }, "token.form"},
    {"AnotherScheme", by_sas, [](Scene& s) { s.token.replace(0, 6, "Bearer"); }, "token.form"},
    {"NoToken", by_sas, [](Scene& s) { s.token.clear(); }, "credential.present"},
    {"CertificateInItsPlace", by_sas,
     [](Scene& s) {
         s.token.clear();
         show_certificate(s);
     },
     "credential.present"},
    {"CertificateBesideItIsNotLookedAt", by_sas, show_certificate, ""},
    {"NoKeysRegistered", by_sas,
     [](Scene& s) { s.record.authentication.primary_key = s.record.authentication.secondary_key = ""; },
     "token.signature"},
    {"OneKeyRegistered", by_sas, [](Scene& s) { s.record.authentication.secondary_key = ""; }, ""},
    {"RegisteredTypeNone", by_sas, [](Scene& s) { s.record.authentication.type = trust::AuthType::none; },
     "identity.method"},
    {"EdgeDevice", by_sas, [](Scene& s) { s.record.edge_enabled = true; }, ""},
    {"Disabled", by_sas, [](Scene& s) { s.record.status = trust::Enablement::disabled; }, "identity.enabled"},
    {"NotRegistered", by_sas, [](Scene& s) { s.registered = false; }, "identity.registered"},
    {"ClientIdOfAnother", by_sas, [](Scene& s) { s.client_id = "EdgeGateway"; }, "identity.client_id"},

    {"ModuleKey", module_by_sas, nothing, ""},
    {"ModuleIdEncodedTwice", module_by_sas,
     [](Scene& s) {
         s.record.identity.module = "$edgeHub";
         s.client_id = "EdgeGateway/$edgeHub";
         show_resource(s, "contosoiothub.local%2Fdevices%2FEdgeGateway%2Fmodules%2F%2524edgeHub", key('M'));
     },
     ""},
    {"DeviceTokenForAModule", module_by_sas, [](Scene& s) { s.show_token("devices/EdgeGateway", key('E')); },
     "token.resource"},
    {"DeviceKeyForAModule", module_by_sas, [](Scene& s) { s.show_token(mod1, key('E')); }, "token.signature"},
    {"ModuleKeyForItsDevicesResource", module_by_sas,
     [](Scene& s) { s.show_token("devices/EdgeGateway", key('M')); }, "token.resource"},
    {"AnotherModule", module_by_sas,
     [](Scene& s) { s.show_token("devices/EdgeGateway/modules/mod2", key('M')); }, "token.resource"},
    {"ModuleOfAnotherDevice", module_by_sas,
     [](Scene& s) { s.show_token("devices/TempSensor/modules/mod1", key('M')); }, "token.resource"},
    {"ModuleOfADisabledDevice", module_by_sas,
     [](Scene& s) { s.record.device_status = trust::Enablement::disabled; }, "identity.enabled"},
    {"ModuleOfTypeNone", module_by_sas,
     [](Scene& s) { s.record.authentication.type = trust::AuthType::none; }, "identity.method"},
    {"ClientIdOfTheDevice", module_by_sas, [](Scene& s) { s.client_id = "EdgeGateway"; },
     "identity.client_id"},

    {"PolicyWithDeviceConnect", by_policy, nothing, ""},
    {"PolicysSecondaryKey", by_policy, [](Scene& s) { s.show_token("", key('Q'), "device"); }, ""},
    {"PolicyForThisDevice", by_policy, [](Scene& s) { s.show_token(sensor, key('P'), "device"); }, ""},
    {"PolicyForAnotherDevice", by_policy, [](Scene& s) { s.show_token("devices/d2", key('P'), "device"); },
     "token.resource"},
    {"PolicyWithoutDeviceConnect", by_policy, [](Scene& s) { s.policy.front().device_connect = false; },
     "token.policy"},
    {"UnknownPolicy", by_policy, [](Scene& s) { s.policy.clear(); }, "token.policy"},
    {"AnotherPolicyThanTheTokens", by_policy, [](Scene& s) { s.policy.front().name = "service"; },
     "token.policy"},
    {"AnotherKeyThanThePolicys", by_policy, [](Scene& s) { s.show_token("", key('C'), "device"); },
     "token.signature"},
    {"DevicesKeyUnderAPolicysName", by_policy, [](Scene& s) { s.show_token("", key('A'), "device"); },
     "token.signature"},
    {"PolicysKeyWithoutItsName", by_policy, [](Scene& s) { s.show_token("", key('P')); }, "token.signature"},
    {"PolicyForADeviceWithACertificate", by_policy,
     [](Scene& s) { s.record.authentication.type = trust::AuthType::self_signed; }, "credential.present"},
    {"PolicyForADisabledDevice", by_policy, [](Scene& s) { s.record.status = trust::Enablement::disabled; },
     "identity.enabled"},
    {"PolicyForNobody", by_policy, [](Scene& s) { s.registered = false; }, "identity.registered"},
};

INSTANTIATE_TEST_SUITE_P(Sas, Authenticate, testing::ValuesIn(sas_cases), name_of);

}  // namespace
}  // namespace scene
