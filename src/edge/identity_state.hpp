// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/error.hpp"

namespace edge {

/// What is remembered of a module of this device; its keys are derived and never stored
/// (edge-runtime.md 4.1).
struct ModuleRecord {
    std::string id;
    std::string managed_by;
    std::string generation;
};

/// The saved state of the identity service (edge-runtime.md 5.6), so that it serves without a network:
/// `device_info` and one backup a module. Another hub or device than the one saved drops all modules. On its
/// own loop.
class IdentityState {
  public:
    static base::Result<IdentityState> open(std::filesystem::path home, std::string hub, std::string gateway,
                                            std::string device);

    const ModuleRecord* find(const std::string& module) const;
    const std::map<std::string, ModuleRecord>& modules() const { return modules_; }
    base::Status save(ModuleRecord record);
    base::Status remove(const std::string& module);

  private:
    IdentityState(std::filesystem::path directory, std::string device)
        : directory_(std::move(directory)), device_(std::move(device)) {}
    void load();

    std::filesystem::path directory_;  ///< modules/<hub>-<device>
    std::string device_;
    std::map<std::string, ModuleRecord> modules_;
};

}  // namespace edge
