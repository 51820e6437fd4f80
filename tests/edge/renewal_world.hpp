// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>

#include "edge/certificates_service.hpp"
#include "edge/keys_service.hpp"
#include "edge/renewal.hpp"
#include "http/server.hpp"
#include "net/loop.hpp"
#include "support/certificates.hpp"
#include "support/temporary_directory.hpp"

namespace edge_test {

/// A clock that a test sets.
class SetClock final : public base::Clock {
  public:
    base::Instant now() const override { return base::Instant(std::chrono::seconds(now_.load())); }
    std::chrono::sys_time<std::chrono::milliseconds> now_ms() const override { return now(); }
    void set(base::Instant when) { now_ = when.time_since_epoch().count(); }

  private:
    std::atomic<std::int64_t> now_ = support::test_time().time_since_epoch().count();
};

/// What happens to a call that the gate was told about.
enum class Cut {
    dead_before,  ///< it and all later ones fail: the machine has stopped before it
    dead_after,   ///< it is done, and its answer and all later calls fail
    once_before,  ///< it fails, later ones work
    once_after,   ///< it is done and its answer lost, later ones work
};

/// The keys and the certificates service with their stores, and a gate before both that fails calls.
class RenewalWorld {
  public:
    static constexpr const char* id = "aziot-edged-ca";
    static constexpr const char* previous_id = "aziot-edged-ca-previous";

    explicit RenewalWorld(edge::Issuance::Method method);
    ~RenewalWorld();

    edge::KeysClient keys() const { return {(directory_ / "k.sock").string(), clock}; }
    edge::CertificatesClient certificates() const { return {(directory_ / "c.sock").string(), clock}; }
    edge::CertificatePair pair() const { return {id, keys(), certificates()}; }
    edge::RenewalSubject subject() const;
    /// One step of a service that has just started.
    base::Instant step(const edge::RenewalSubject& subject) const;
    edge::CertificatePair::State look() const;
    /// The first certificate under `id`; fails the test where there is none.
    pki::Certificate in_use() const;
    std::filesystem::path key_file(const std::string& key) const;
    std::filesystem::path certificate_file(const std::string& certificate) const;
    /// Signs under "local-ca" from now on.
    void put_local_ca(std::chrono::seconds lifetime);

    /// The gate: the n-th call from now (from 0) is cut.
    void cut(int n, Cut how) {
        how_ = how;
        left_ = n;
    }
    void open_gate() { left_ = never; }
    bool was_cut() const { return left_ < 0; }

    mutable SetClock clock;

  private:
    static constexpr int never = 1'000'000;
    net::Serve gated(const edge::LocalApi& api);
    net::Task<http::Response> answer(const edge::LocalApi& api, http::Request request);

    support::TemporaryDirectory directory_;
    std::atomic<int> left_ = never;
    std::atomic<Cut> how_ = Cut::dead_before;
    support::Identity root_;
    net::Loops loops_{2};
    std::unique_ptr<edge::KeysService> keys_service_;
    std::unique_ptr<edge::CertificatesService> certificates_service_;
    std::unique_ptr<net::UnixListener> keys_listener_, keys_inner_, certificates_listener_;
    std::thread thread_;
};

}  // namespace edge_test
