// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "gateway/scope_cache.hpp"
#include "store/database.hpp"
#include "store/writer.hpp"

namespace gateway {

/// The random data key of the store as it lies on disk: wrapped by the workload API, useless without it.
struct WrappedKey {
    base::Bytes vector;  ///< the initialisation vector that it was wrapped with
    base::Bytes ciphertext;
};

/// Whose scope this is. Records made for one gateway are not read by another.
struct ScopeOwner {
    std::string hub;
    std::string device;
    friend bool operator==(const ScopeOwner&, const ScopeOwner&) = default;
};

/// The scope cache on disk (SQLite), so that a gateway that starts without its hub knows its devices. Each
/// record is sealed by AES-256-GCM under the data key with a nonce of its own, and its row's id as additional
/// data: a row that was copied to another id does not open. From one loop; writes run on a thread of their
/// own.
class ScopeStore {
  public:
    static base::Result<std::unique_ptr<ScopeStore>> open(const std::filesystem::path& file);
    ~ScopeStore();

    base::Result<std::optional<WrappedKey>> wrapped_key();
    /// Forgets every record and starts over with this key.
    base::Status reset(const WrappedKey& wrapped, base::SecretBytes data_key);
    /// Takes the unwrapped key of `wrapped_key`.
    void unlock(base::SecretBytes data_key);
    /// The data key; nullptr before `reset` or `unlock`.
    std::shared_ptr<const base::SecretBytes> data_key() const;
    /// Keeps records and data key, which is wrapped anew.
    base::Status rewrap(const WrappedKey& wrapped);

    /// What was saved for `owner`. Records that do not open are left out and counted in `rejected`; the whole
    /// is nullptr where nothing was saved, or where it was saved for another owner.
    base::Result<std::shared_ptr<const ScopeCache>> load(const ScopeOwner& owner, std::size_t* rejected);

    /// Writes the difference between two caches (before null: everything). Failures are logged: the cache in
    /// memory goes on, and the next save tries again with everything.
    void save(const ScopeOwner& owner, std::shared_ptr<const ScopeCache> before,
              std::shared_ptr<const ScopeCache> after);

  private:
    struct Impl;
    explicit ScopeStore(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gateway
