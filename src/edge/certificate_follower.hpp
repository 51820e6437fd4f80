// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "edge/local_client.hpp"
#include "net/timer.hpp"
#include "pki/certificate.hpp"

namespace edge {

/// A server certificate that a program of others needs as files.
struct FollowWish {
    std::filesystem::path environment;  ///< of the module: where its socket is and who it is there
    std::string common_name;            ///< empty: the module's id
    std::filesystem::path certificate;  ///< gets the chain, 0644
    std::filesystem::path key;          ///< 0600
    std::vector<std::string> reload;    ///< the program that makes the files count, and its arguments
};

/// What a module's environment file says.
struct ModuleEnvironment {
    std::string socket;
    std::string module;
    std::string generation;
};
/// Fails with not_found where there is no such module on this device.
base::Result<ModuleEnvironment> read_module_environment(const std::filesystem::path& file);

/// Obtains the certificate from the module's own workload socket: at once, when two thirds of its life are
/// over, and when the trust bundle changes, as it does with a new Edge CA. After each it writes both files
/// and runs the command. What fails is tried again, after 1 to 60 s, until it succeeds; the old files stay
/// until the new ones are whole. On its own loop.
class CertificateFollower {
  public:
    CertificateFollower(FollowWish wish, const base::Clock& clock) : wish_(std::move(wish)), clock_(clock) {}

    /// Calls `ready` once the first certificate is in place: the program that needs it may not run yet, and
    /// then the command fails at first. Ends after `stop`.
    net::Task<> run(std::function<void()> ready);
    void stop();

  private:
    net::Task<base::Status> look();
    net::Task<base::Result<std::string>> trust_bundle(LocalService service);
    net::Task<base::Status> obtain(LocalService service, ModuleEnvironment environment);
    base::Status reload();
    std::chrono::milliseconds until_next() const;

    FollowWish wish_;
    const base::Clock& clock_;
    std::optional<net::Event> wake_;
    std::string bundle_;
    std::optional<base::Instant> renew_at_;
    bool must_reload_ = false;
    bool stopping_ = false;
};

}  // namespace edge
