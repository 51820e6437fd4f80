// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "edge/certificates_service.hpp"
#include "edge/identity_service.hpp"
#include "edge/keys_service.hpp"
#include "edge/service_files.hpp"
#include "edge/workload_service.hpp"
#include "net/loop.hpp"
#include "pki/key.hpp"
#include "support/temporary_directory.hpp"

namespace edge_test {

/// The four services in this process, each on its real Unix socket, under a directory of their own.
class RunningDevice {
  public:
    /// more: TOML after the provisioning part, "" for a plain device; hub_port 0: nobody listens there.
    struct Options {
        std::uint16_t hub_port = 1;
        std::string hub_ca{};  ///< file of the hub's trust anchor
        std::string more{};
        bool run_identity = true;
        /// TOML that takes the place of the X.509 credential in [provisioning.authentication].
        std::string authentication{};
        pki::KeyType device_key = pki::KeyType::ec_p256;
        /// The machine's clock, under the floor that the services have; outlives the device. Absent: the real
        /// one.
        const base::Clock* clock = nullptr;
        bool provisioned = true;  ///< false: provisioning source none
    };
    explicit RunningDevice(Options options);
    ~RunningDevice();

    const edge::Paths& paths() const { return paths_; }
    std::string socket(edge::Service service) const { return paths_.socket(service).string(); }
    std::string module_socket(std::string_view module) const {
        return edge::module_socket(paths_.home(edge::Service::workload), module).string();
    }
    const edge::KeysService& keys() const { return *keys_; }
    const edge::CertificatesService& certificates() const { return *certificates_; }
    const edge::IdentityService& identity() const { return *identity_; }
    const edge::WorkloadService& workload() const { return *workload_; }
    /// Waits until the workload service is ready: the Edge CA is there and modules were looked at.
    void wait_until_ready();
    /// Ends the services; what they left on disk stays.
    void stop();
    void start();

  private:
    support::TemporaryDirectory directory_;
    edge::Paths paths_;
    std::unique_ptr<edge::ClockFloor> floor_;
    std::unique_ptr<net::Loops> loops_;
    std::unique_ptr<edge::KeysService> keys_;
    std::unique_ptr<edge::CertificatesService> certificates_;
    std::unique_ptr<edge::IdentityService> identity_;
    std::unique_ptr<edge::WorkloadService> workload_;
    std::unique_ptr<net::UnixListener> keys_listener_;
    std::vector<std::unique_ptr<net::UnixListener>> listeners_;
    std::shared_ptr<void> ready_;
    std::thread thread_;
};

/// One request over a Unix socket, with `api-version` added.
http::Response ask(const std::string& socket, http::Verb verb, std::string target, std::string body = {},
                   std::string version = "2020-09-01");
/// The same to an API without a socket, as a caller of our choice.
http::Response ask_as(const edge::LocalApi& api, uid_t user, http::Verb verb, std::string target,
                      std::string body = {}, std::string version = "2020-09-01");

edge::json::value json_of(const http::Response& response);
std::string member(const http::Response& response, std::string_view name);
std::string message(const http::Response& response);

/// Waits, for a while, until the file is there: what is only a record is written after the answer.
bool appears(const std::filesystem::path& file);

/// A hub that knows one device's modules; it speaks the registry calls of edge-runtime.md 4.2.
class FakeHub {
  public:
    FakeHub();
    ~FakeHub();
    std::uint16_t port() const;
    std::string ca_file() const;
    /// "PUT $edgeHub", "GET $edgeHub", in order.
    std::vector<std::string> calls() const;
    std::string primary_key(const std::string& module) const;
    /// Common name of the client certificate of the last call; empty where there was none.
    std::string client() const;
    std::string authorization() const;
    /// Makes a module with keys of its own, as an operator does with az.
    void add_module(const std::string& module, const std::string& primary, const std::string& secondary);
    std::string generation(const std::string& module) const;
    /// What was last set as `authentication` of a module, as JSON.
    std::string authentication(const std::string& module) const;
    /// Every call from now on is refused with 401 and this text.
    void refuse(std::string text);
    /// From now on only this client certificate (SHA-256 in upper-case hex) is let in, as by a hub that has
    /// it registered by its thumbprint.
    void accept_only(std::string thumbprint);

    struct State;

  private:
    support::TemporaryDirectory directory_;
    std::shared_ptr<State> state_;
    net::Loops loops_{1};
    std::unique_ptr<net::TlsListener> listener_;
    std::thread thread_;
};

inline constexpr const char* test_device = "EdgeGateway";
inline constexpr const char* test_hub = "contosoiothub.local";

}  // namespace edge_test
