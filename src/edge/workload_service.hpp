// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "edge/certificates_client.hpp"
#include "edge/identity_client.hpp"
#include "edge/keys_client.hpp"
#include "edge/local_api.hpp"
#include "edge/renewal.hpp"
#include "edge/service_config.hpp"
#include "net/listener.hpp"
#include "net/timer.hpp"

namespace edge {

/// The workload service (edge-runtime.md 6): what a module may ask for. One socket a module, whose caller the
/// kernel names; a module's key never leaves the keys service, its server key never touches a disk. On its
/// own loop.
class WorkloadService {
  public:
    static base::Result<std::unique_ptr<WorkloadService>> make(WorkloadConfig config,
                                                               const base::Clock& clock);

    /// Opens the module sockets, mode 0666.
    base::Status listen(net::Loop& loop);
    /// Keeps the Edge CA, made where it is missing and renewed. Ends after `stop`.
    net::Task<> keep_edge_ca() { return edge_ca_.run(); }
    /// Waits for the Edge CA, then calls `ready` once; then waits for each module's identity and writes its
    /// files, again whenever it changes. Ends after `stop`.
    net::Task<> prepare(std::function<void()> ready);
    void stop();
    /// The API on a module's socket; nullptr where the module is unknown.
    const LocalApi* api(std::string_view module) const;

  private:
    struct Module {
        WorkloadModule rules;
        std::optional<ModuleIdentity> identity;
        std::unique_ptr<LocalApi> api;
        std::unique_ptr<net::UnixListener> listener;
    };

    WorkloadService(WorkloadConfig config, const base::Clock& clock);
    std::vector<Route> routes(Module* module);

    net::Task<Answer> sign(Module* module, Call call);
    net::Task<Answer> encrypt(Module* module, Call call);
    net::Task<Answer> decrypt(Module* module, Call call);
    net::Task<Answer> server_certificate(Module* module, Call call);
    net::Task<Answer> identity_certificate(Module* module, Call call);
    net::Task<Answer> trust_bundle();
    Answer modules() const;

    base::Status is_caller(const Module& module, const Call& call) const;
    base::Status is_generation(const Module& module, const Call& call) const;
    bool may_bear(const Module& module, std::string_view name) const;
    net::Task<base::Result<ModuleIdentity>> identity_of(Module* module);
    net::Task<base::Result<std::string>> secrets_key(ModuleIdentity identity);
    net::Task<Answer> issue(std::string certificate_id, std::string common_name,
                            std::vector<std::string> names, std::string usage);
    net::Task<base::Result<pki::Chain>> issue_by_edge_ca(std::string certificate_id, std::string csr);
    net::Task<base::Result<pki::Chain>> issue_by_est(std::string certificate_id, std::string csr);
    net::Task<base::Status> register_certificate(std::string module, const http::Response& answer);
    net::Task<bool> look_at(Module* module);

    WorkloadConfig config_;
    const base::Clock& clock_;
    KeysClient keys_;
    CertificatesClient certificates_;
    IdentityClient identity_;
    std::string edge_ca_handle_;  ///< empty until it is asked for
    Renewal edge_ca_;
    int est_asked_ = 0;  ///< module certificates that are being asked for
    std::deque<net::Completion> est_waiting_;
    std::vector<std::unique_ptr<Module>> modules_;
    std::optional<net::Event> wake_;
    bool stopping_ = false;
};

/// The derivation data of a module's own encryption key (interfaces.md 7): module id and generation id, each
/// behind its length in four octets, so that no two pairs give the same bytes.
base::Bytes secrets_derivation(std::string_view module, std::string_view generation);

}  // namespace edge
