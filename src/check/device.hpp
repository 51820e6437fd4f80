// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "check/judge_file.hpp"
#include "check/probe.hpp"
#include "edge/config.hpp"
#include "pki/certificate.hpp"
#include "pki/key.hpp"
#include "pki/trust_bundle.hpp"

namespace check {

/// A private key that config.toml names or a service made.
struct HeldKey {
    std::string id;     ///< "device-id"
    std::string thing;  ///< "key of the device certificate"
    edge::Uri uri;
    enum class Kind { pair, symmetric } kind = Kind::pair;
    bool made = false;  ///< by a service; may not be there yet

    /// nullopt where it lies behind another scheme than file:.
    std::optional<std::filesystem::path> file() const;
};

/// Reads the pair from its file whatever the file's mode is, which is another check's.
base::Result<pki::PrivateKey> read_pair(const HeldKey& key);

/// A certificate that config.toml names or a service made.
struct Held {
    std::string id;     ///< "device-id"
    std::string thing;  ///< "device certificate"
    edge::Uri uri;
    bool made = false;                             ///< by a service; may not be there yet
    std::optional<edge::RenewalPolicy> renewal{};  ///< of a made one: when a service renews it
    std::optional<HeldKey> key{};
    base::Result<pki::Chain> chain{};  ///< as the file is now

    /// A service would make it, and has not yet.
    bool not_made_yet() const;
};

/// What the checks look at: this device as its files tell. Read once; what is asked over the network is kept
/// so that no two checks ask the same.
struct Device {
    /// Reads configuration and certificates; whatever cannot be read is for the checks to tell.
    static Device look(edge::Paths paths, const base::Clock& clock);

    edge::Paths paths;
    const base::Clock& clock;
    bool packaged;  ///< root "/": services have users of their own
    base::Result<edge::Configuration> configuration;
    std::optional<std::string> hostname;  ///< as written, also where the rest does not parse
    std::optional<std::string> parent;
    std::vector<Held> certificates;
    std::vector<HeldKey> keys;  ///< of the certificates, and the others
    std::optional<HubProbe> hub_https;

    const Held* certificate(std::string_view id) const;
    /// The certificates that modules and downstream devices are to trust: those of trust_bundle_cert, and the
    /// Edge CA where it is its own root.
    pki::TrustBundle trust_bundle() const;
    /// The user as whom a service runs in the packaged layout; nullopt elsewhere, or where there is none.
    std::optional<Reader> user_of(edge::Service service) const;
    std::string machine_name() const;
};

}  // namespace check
