// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "edge/certificates_client.hpp"
#include "edge/clock_floor.hpp"
#include "edge/hub_registry.hpp"
#include "edge/identity_state.hpp"
#include "edge/keys_client.hpp"
#include "edge/local_api.hpp"
#include "edge/renewal.hpp"
#include "edge/service_config.hpp"
#include "net/timer.hpp"
#include "trust/identity.hpp"

namespace edge {

/// The identity service (edge-runtime.md 3 to 5): who this device is, and the modules it has at the hub. It
/// answers from its own state and keeps that in step with the hub in the background. On its own loop.
class IdentityService {
  public:
    /// floor: where given, the hub is not asked while the clock is wrong, and its time is written down.
    /// Outlives it.
    static base::Result<std::unique_ptr<IdentityService>> make(IdentityConfig config,
                                                               const base::Clock& clock,
                                                               ClockFloor* floor = nullptr);
    const LocalApi& api() const { return *api_; }
    net::Serve serve() const { return serve_local(*api_, config_.max_requests, Keep::open); }

    /// Registers the configured modules at the hub and sets their keys; again every 5 minutes and after a
    /// reprovision call. A hub that is away or refuses is retried after 1 to 15 s. Ends after `stop`.
    net::Task<> keep_provisioned();
    /// Keeps the device's certificate, made where it is to be issued, and renewed. Ends after `stop`.
    net::Task<> keep_certificate();
    void stop();

  private:
    IdentityService(IdentityConfig config, std::optional<IdentityState> state, const base::Clock& clock,
                    ClockFloor* floor);

    enum class Who { everything, host_process, nobody };
    Who who(const Caller& caller) const;
    const Principal* principal(const Caller& caller) const;
    base::Status may_all(const Caller& caller) const;
    base::Status may_module(const Caller& caller, const std::string& module) const;
    base::Status provisioned() const;

    net::Task<Answer> own_identity(Call call);
    net::Task<Answer> device(Call call);
    net::Task<Answer> reprovision(Call call);
    net::Task<Answer> list(Call call);
    net::Task<Answer> create(Call call);
    net::Task<Answer> get(Call call);
    net::Task<Answer> update(Call call);
    net::Task<Answer> remove(Call call);
    net::Task<Answer> thumbprint(Call call);
    Answer provisioning() const;
    net::Task<Answer> trust_bundle();

    net::Task<Answer> device_answer();
    net::Task<Answer> module_answer(ModuleRecord record);
    json::object spec() const;

    using Registry = std::shared_ptr<const HubRegistry>;
    net::Task<base::Result<Registry>> registry();
    net::Task<base::Status> check_clock();
    RenewalSubject device_certificate();
    net::Task<base::Status> accepted_by_hub(std::string certificate_id, std::string key_id,
                                            pki::Certificate next);
    net::Task<base::Status> reconcile();
    net::Task<base::Result<ModuleRecord>> register_module(Registry hub, std::string module, bool create);
    /// A module's two keys, as base64.
    struct ModuleKeys {
        static constexpr std::size_t primary = 0;
        static constexpr std::size_t secondary = 1;
        std::array<base::SecretBytes, 2> slot;
    };
    net::Task<base::Result<ModuleKeys>> derived_keys(std::string module, std::string generation);
    static bool has_keys(const HubModule& module, const ModuleKeys& keys);
    net::Task<base::Result<ModuleRecord>> set_keys(Registry hub, HubModule module);
    bool uses_certificate(const std::string& module) const;
    net::Task<base::Status> add_thumbprint(std::string module, std::string thumbprint);

    IdentityConfig config_;
    std::optional<IdentityState> state_;  ///< absent where nothing is provisioned
    const base::Clock& clock_;
    ClockFloor* floor_;
    KeysClient keys_;
    CertificatesClient certificates_;
    std::optional<Renewal> renewal_;  ///< X.509 devices
    std::unique_ptr<LocalApi> api_;
    net::Task<> first_attempt(std::chrono::milliseconds limit);

    std::optional<net::Event> wake_;
    std::vector<std::shared_ptr<net::Event>> waiting_;  ///< for the end of the first attempt
    bool attempted_ = false;
    bool stopping_ = false;
};

}  // namespace edge
