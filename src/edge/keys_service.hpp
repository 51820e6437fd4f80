// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "edge/key_handle.hpp"
#include "edge/key_store.hpp"
#include "edge/local_api.hpp"
#include "edge/service_config.hpp"

namespace edge {

/// The keys service (edge-runtime.md 1): makes, keeps and uses keys; none leaves it but by
/// `derivedkey/export`. On its own loop.
class KeysService {
  public:
    /// Opens the store and makes the handle-validation-key where it is missing.
    static base::Result<std::unique_ptr<KeysService>> make(KeysConfig config);
    const LocalApi& api() const { return *api_; }
    net::Serve serve() const { return serve_local(*api_, config_.max_requests, Keep::open); }

  private:
    KeysService(KeysConfig config, std::unique_ptr<KeyStore> store, SymmetricKeyPtr validation_key);

    Answer create_key(const Call& call);
    Answer create_pair(const Call& call);
    Answer load(const Call& call, KeyReference::Kind kind);
    Answer move(const Call& call);
    Answer remove(const Call& call, KeyReference::Kind kind);
    Answer parameter(const Call& call);
    Answer derive(const Call& call);
    Answer export_derived(const Call& call);
    Answer sign(const Call& call);
    Answer encrypt(const Call& call);
    Answer decrypt(const Call& call);

    base::Status may_use(const Call& call, std::string_view id) const;
    base::Result<KeyReference> opened(const json::value& body, std::string_view member) const;
    Answer handle_answer(const KeyReference& reference) const;

    KeysConfig config_;
    std::unique_ptr<KeyStore> store_;
    SymmetricKeyPtr validation_key_;
    std::unique_ptr<LocalApi> api_;
};

}  // namespace edge
