// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "trust/record.hpp"

namespace azure {

/// A device as the service API shows it (hub.md 5.3); the registry keeps the same.
struct Device {
    trust::Record record;
    std::string etag;           ///< bare base64 text
    std::string status_reason;  ///< empty: null
    bool connected = false;
    base::Instant connection_state_updated{};  ///< epoch: never
    base::Instant status_updated{};
    base::Instant last_activity{};
    int cloud_to_device_messages = 0;
};

/// A module (hub.md 5.4).
struct Module {
    trust::Record record;  ///< identity.module is set
    std::string managed_by;
    std::string etag;
    bool connected = false;
    base::Instant connection_state_updated{};
    base::Instant last_activity{};
    int cloud_to_device_messages = 0;
};

/// Who reads a module. identityd (api-version 2017-11-08-preview) knows selfSigned by the word `x509` alone
/// and otherwise drops the whole list (interfaces.md 7).
enum class Dialect { service, identityd };

/// JSON in the member order that C# needs: `type` last in `authentication`.
std::string to_json(const Device& device);
std::string to_json(const Module& module, Dialect dialect = Dialect::service);
std::string to_json(const std::vector<Device>& devices);
std::string to_json(const std::vector<Module>& modules, Dialect dialect = Dialect::service);

/// What the body of a PUT asks for. Read-only and unknown members are ignored; null is as good as absent.
/// Errors are `malformed` where the body is no JSON object, else `invalid_argument`, with the path in the
/// document
/// ("authentication.x509Thumbprint.primaryThumbprint") as the thing. An empty id means that the body had
/// none.
struct DeviceWish {
    std::string device_id;
    std::optional<trust::Enablement> status;
    std::optional<std::string> status_reason;
    std::optional<trust::Authentication> authentication;  ///< keys may be empty: make them, or keep them
    std::optional<bool> edge_enabled;
    std::optional<std::string> device_scope;
    std::optional<std::vector<std::string>> parent_scopes;
    std::string etag;
};
struct ModuleWish {
    std::string device_id;
    std::string module_id;
    std::optional<std::string> managed_by;
    std::optional<trust::Authentication> authentication;
    std::string etag;
};
base::Result<DeviceWish> parse_device(std::string_view json);
/// `sas` and `x509` of identityd's dialect are understood too (hub.md 9.1).
base::Result<ModuleWish> parse_module(std::string_view json);

/// Full documents as a client reads them from our own service API (az-like commands, gateway).
base::Result<Device> read_device(std::string_view json);
base::Result<Module> read_module(std::string_view json);
base::Result<std::vector<Device>> read_devices(std::string_view json);
base::Result<std::vector<Module>> read_modules(std::string_view json);

/// The answer of the scope calls (hub.md 9.4). Writing fills a missing thumbprint or key slot with the other
/// one.
struct ScopeResult {
    std::vector<Device> devices;
    std::vector<Module> modules;
    std::string continuation;  ///< empty: null
};
std::string to_json(const ScopeResult& result);
/// A record that cannot be read is skipped and named in `skipped`; it costs nobody else (gateway.md 2.6).
base::Result<ScopeResult> read_scope_result(std::string_view json, std::vector<std::string>* skipped);

/// 18 digits: .NET ticks of the moment (hub.md 5.3). tie_breaker: tells apart what is made in one
/// millisecond.
std::string make_generation(std::chrono::sys_time<std::chrono::milliseconds> now, unsigned tie_breaker);
/// "ms-azure-iot-edge://{device}-{generation}".
std::string make_scope(std::string_view device, std::string_view generation);

}  // namespace azure
