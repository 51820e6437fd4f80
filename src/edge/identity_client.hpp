// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "edge/local_client.hpp"

namespace edge {

/// The identity of this device, as far as the workload service needs it.
struct DeviceIdentity {
    std::string hub;
    std::string gateway;  ///< the parent, or the hub
    std::string device;
};

/// A module identity with the handle of its primary key.
struct ModuleIdentity {
    DeviceIdentity device;
    std::string module;
    std::string generation;
    std::string key_handle;
};

/// The identity service as the other services see it. Cheap to copy.
class IdentityClient {
  public:
    /// kept: so many connections at most, which stay open and belong to the loop of whoever calls; 0: each
    /// call opens its own.
    IdentityClient(std::string socket, const base::Clock& clock, std::size_t kept = 0)
        : service_(local_service("identity service", std::move(socket), "2021-12-01", clock, kept)) {}

    net::Task<base::Result<DeviceIdentity>> device() const;
    net::Task<base::Result<ModuleIdentity>> module(std::string id) const;
    /// Registers the thumbprint (SHA-256, hexadecimal) of a module's new identity certificate at the hub.
    net::Task<base::Status> register_thumbprint(std::string module, std::string thumbprint) const;

  private:
    LocalService service_;
};

}  // namespace edge
