// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "http/server.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "support/certificates.hpp"

/// The workload API of an edge device for the module `$edgeHub`: a real HTTP server on a real Unix socket,
/// with keys of its own. Ends with its object.
class FakeWorkload {
  public:
    struct Setup {
        std::filesystem::path socket;
        const support::Identity* edge_ca;  ///< issues the server certificate
        pki::Chain above;              ///< what stands behind the Edge CA in its file, perhaps with the root
        std::string module_key;        ///< base64
        base::SecretBytes master_key;  ///< 32 octets, for encrypt and decrypt
        std::chrono::seconds lifetime = std::chrono::hours(24 * 30);
    };
    explicit FakeWorkload(Setup setup);
    ~FakeWorkload();
    int certificates_issued() const { return issued_; }
    /// Issues from now on, and stands in the trust bundle. Outlives this.
    void replace_edge_ca(const support::Identity* edge_ca) { edge_ca_ = edge_ca; }
    /// The module was registered anew: signs with another key (base64) and knows no other generation.
    void become(std::string generation, std::string module_key);
    int encryptions() const { return encryptions_; }
    /// While true, `sign` gives no answer.
    void hold_signatures(bool hold) { held_ = hold; }

  private:
    static net::Task<http::Response> answer(FakeWorkload& self, http::Request request);
    http::Response sign(const std::string& body) const;
    http::Response seal(const std::string& body, bool encrypt);
    http::Response issue(const std::string& body);
    http::Response trust_bundle() const;

    Setup setup_;
    std::atomic<const support::Identity*> edge_ca_;
    std::atomic<int> issued_ = 0;
    std::atomic<int> encryptions_ = 0;
    mutable std::mutex mutex_;  ///< for what `become` changes
    std::string generation_ = "639000000000000001";
    std::atomic<bool> held_ = false;
    net::Loops loops_{1};
    std::unique_ptr<net::UnixListener> listener_;
    std::thread thread_;
};
