// SPDX-License-Identifier: Apache-2.0
// Fifty modules that all want something at once: every one gets its own.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <set>
#include <thread>

#include "base/encoding.hpp"
#include "pki/digest.hpp"
#include "pki/verify.hpp"
#include "running_device.hpp"

namespace {

using namespace edge_test;
using http::Verb;

constexpr int module_count = 50;

std::string name_of(int module) {
    return fmt::format("mod{}", module);
}

std::string principals() {
    std::string text;
    for (int i = 0; i < module_count; ++i)
        text += fmt::format(
            "[[principal]]\nname = \"{0}\"\nuid = {1}\nidtype = [\"module\"]\nnames = [\"{0}.local\"]\n",
            name_of(i), ::geteuid());
    return text;
}

/// What one module got.
struct Got {
    std::vector<std::string> failures;
    std::vector<std::string> serials;

    void expect(bool good, std::string what) {
        if (!good) failures.push_back(std::move(what));
    }
};

/// One module's day: signs, gets a server certificate and one of its own, seals a secret and opens it.
void play(const RunningDevice& device, const FakeHub& hub, const pki::TrustBundle& trust, int number,
          Got& got) {
    const auto module = name_of(number);
    const auto socket = device.module_socket(module);
    const auto path = fmt::format("/modules/{}/genid/{}/", module, hub.generation(module));
    const auto post = [&](const std::string& target, const edge::json::value& body) {
        return ask(socket, Verb::post, target, edge::json::serialize(body), "2020-07-07");
    };
    const auto data = base::to_base64(base::as_bytes(module));
    for (int round = 0; round < 2; ++round) {
        const auto digest = post(path + "sign", {{"data", data}});
        got.expect(digest.status == 200, digest.body);
        const auto expected =
            pki::hmac_sha256(*base::from_base64(hub.primary_key(module)), base::as_bytes(module));
        got.expect(digest.status == 200 && member(digest, "digest") == base::to_base64(expected),
                   "another's key");

        const auto name = module + ".local";
        const auto answer = post(path + "certificate/server", {{"commonName", name}});
        got.expect(answer.status == 201, answer.body);
        if (answer.status != 201) return;
        const auto chain = pki::certificates_from_pem(member(answer, "certificate"), "answer").value();
        const auto key = pki::PrivateKey::from_pem(
            base::SecretBytes(edge::text_member(json_of(answer).at("privateKey"), "bytes").value()), "key");
        got.expect(key && key->matches(chain.front()), "a key that is not the certificate's");
        got.expect(chain.front().subject_alternative_names() ==
                       std::vector<std::string>{"DNS:" + name, "DNS:" + module},
                   "another's name");
        const std::optional<pki::PeerName> wanted = pki::PeerName::parse(name);
        const auto verdict = pki::verify({.chain = chain,
                                          .trust = trust,
                                          .purpose = pki::Purpose::server,
                                          .name = &wanted,
                                          .now = base::system_clock().now()});
        got.expect(verdict.verdict.accepted(), pki::to_text(verdict.verdict));
        got.serials.push_back(chain.front().serial_hex());

        const auto sealed = post(path + "encrypt", {{"plaintext", data}, {"initializationVector", "aXY="}});
        got.expect(sealed.status == 200, sealed.body);
        if (sealed.status != 200) return;
        const auto opened = post(path + "decrypt", {{"ciphertext", member(sealed, "ciphertext")},
                                                    {"initializationVector", "aXY="}});
        got.expect(opened.status == 200 && member(opened, "plaintext") == data, opened.body);
    }
    const auto own = post(fmt::format("/modules/{}/certificate/identity", module), edge::json::object{});
    got.expect(own.status == 201, own.body);
}

TEST(ManyModules, EachGetsItsOwnWhileAllAskAtOnce) {
    FakeHub hub;
    RunningDevice device({hub.port(), hub.ca_file(), principals()});
    device.wait_until_ready();
    const auto bundle = ask(device.module_socket("mod0"), Verb::get, "/trust-bundle", {}, "2020-07-07");
    const auto trust = pki::TrustBundle::from_pem(member(bundle, "certificate"), "bundle").value();
    std::vector<Got> got(module_count);
    std::vector<std::thread> threads;
    for (int i = 0; i < module_count; ++i)
        threads.emplace_back([&, i] {
            try {
                play(device, hub, trust, i, got[static_cast<std::size_t>(i)]);
            } catch (const std::exception& error) {
                got[static_cast<std::size_t>(i)].failures.emplace_back(error.what());
            }
        });
    for (auto& thread : threads) thread.join();
    std::set<std::string> serials;
    for (int i = 0; i < module_count; ++i) {
        const auto& one = got[static_cast<std::size_t>(i)];
        EXPECT_TRUE(one.failures.empty())
            << name_of(i) << ": " << (one.failures.empty() ? "" : one.failures.front());
        serials.insert(one.serials.begin(), one.serials.end());
    }
    EXPECT_EQ(serials.size(), 2U * module_count);
}

}  // namespace
