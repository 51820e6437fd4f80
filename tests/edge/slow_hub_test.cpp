// SPDX-License-Identifier: Apache-2.0
// A hub that takes connections and never says a word: only who needs it waits (edge-runtime.md 13.1, no. 21).
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <stdexcept>

#include "running_device.hpp"

namespace {

using namespace edge_test;
using http::Verb;

/// The kernel connects its callers, and nobody accepts them; they are reset when it goes.
class SilentHub {
  public:
    explicit SilentHub(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int yes = 1;
        ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(socket_, 64) != 0)
            throw std::runtime_error("the hub's port is taken");
    }
    SilentHub(const SilentHub&) = delete;
    SilentHub& operator=(const SilentHub&) = delete;
    ~SilentHub() { ::close(socket_); }

  private:
    int socket_;
};

TEST(SlowHub, DelaysOnlyTheCallsThatNeedIt) {
    auto hub = std::make_unique<FakeHub>();
    support::TemporaryDirectory directory;
    const auto trusted = directory / "hub-ca.pem";
    std::filesystem::copy_file(hub->ca_file(), trusted);
    RunningDevice device({hub->port(), trusted.string()});
    device.wait_until_ready();
    const auto generation = hub->generation("$edgeHub");
    device.stop();
    const auto port = hub->port();
    hub.reset();
    std::optional<SilentHub> silent(port);
    device.start();
    device.wait_until_ready();

    const auto identity = device.socket(edge::Service::identity);
    const auto slow = [&](Verb verb, std::string target, std::string body = {}) {
        return std::async(std::launch::async, [=] { return ask(identity, verb, target, body); });
    };
    std::vector<std::future<http::Response>> waiting;
    waiting.push_back(slow(Verb::post, "/identities/modules", R"({"type":"aziot","moduleId":"new"})"));
    waiting.push_back(slow(Verb::put, "/identities/modules/new?type=aziot", "{}"));
    waiting.push_back(slow(Verb::get, "/identities/modules/unknown?type=aziot"));
    waiting.push_back(slow(Verb::delete_, "/identities/modules/new?type=aziot"));
    waiting.push_back(slow(Verb::post, "/identities/device/reprovision"));

    const auto module = "/modules/%24edgeHub/genid/" + generation;
    const auto workload = device.module_socket("$edgeHub");
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(ask(workload, Verb::post, module + "/sign", R"({"data":"ZGF0YQ=="})", "2020-07-07").status,
                  200);
        EXPECT_EQ(ask(workload, Verb::post, module + "/certificate/server",
                      R"({"commonName":"edgegateway.local"})", "2020-07-07")
                      .status,
                  201);
        EXPECT_EQ(ask(workload, Verb::get, "/trust-bundle", {}, "2020-07-07").status, 200);
        EXPECT_EQ(ask(identity, Verb::get, "/identities/modules/$edgeHub?type=aziot").status, 200);
        EXPECT_EQ(ask(identity, Verb::post, "/identities/device", R"({"type":"aziot"})").status, 200);
        EXPECT_EQ(ask(identity, Verb::get, "/trust-bundle").status, 200);
        EXPECT_EQ(ask(device.socket(edge::Service::keys), Verb::post, "/keypair",
                      R"({"keyId":"k)" + std::to_string(i) + "\"}")
                      .status,
                  200);
        EXPECT_EQ(
            ask(device.socket(edge::Service::certificates), Verb::get, "/certificates/aziot-edged-ca").status,
            200);
    }
    for (auto& each : waiting)
        EXPECT_EQ(each.wait_for(std::chrono::seconds(0)), std::future_status::timeout)
            << "a call that needs the hub was answered without it";
    silent.reset();
    for (auto& each : waiting) EXPECT_EQ(each.get().status, 404);
}

}  // namespace
