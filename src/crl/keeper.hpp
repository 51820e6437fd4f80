// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "crl/settings.hpp"
#include "crl/url.hpp"
#include "http/client.hpp"
#include "net/loop.hpp"
#include "pki/crl.hpp"
#include "pki/trust_bundle.hpp"

namespace crl {

/// How often a source is asked (est-and-pki.md 6.3).
inline constexpr std::chrono::seconds pull_rhythm{60};
/// The CRLs that a hub or gateway decides by: pulls each URL every minute, believes what a trusted CA signed,
/// keeps the last good one on disk, so that one that starts without its CA knows whom to refuse. A set is
/// swapped whole. `start` and `stop` from any thread, the work on the given loop.
class Keeper {
  public:
    struct Options {
        Settings settings;
        std::filesystem::path directory;  ///< made where it is missing
        /// The CAs that devices are judged by, now. Called on the loop.
        std::function<std::shared_ptr<const pki::TrustBundle>()> anchors;
        /// Towards https sources. Called on the loop.
        std::function<base::Result<std::shared_ptr<const net::ClientTls>>()> tls;
    };
    /// Reads what is kept. A file that does not parse is passed over and told.
    static base::Result<std::unique_ptr<Keeper>> open(Options options, const base::Clock& clock);
    ~Keeper();

    void start(net::Loop& loop);
    /// Ends what start began; before the loops end.
    void stop();
    /// Asks every source now. From any thread.
    void pull_now();

    /// Null where no URL is configured. From any thread.
    std::shared_ptr<const pki::CrlSet> current() const;
    std::optional<std::chrono::seconds> max_age() const { return options_.settings.max_age; }
    /// Called on the loop after a set with other revoked certificates has come into force.
    void on_change(std::function<void()> observer) { observer_ = std::move(observer); }

  private:
    struct Source;
    Keeper(Options options, const base::Clock& clock);
    base::Status load(Source& source);
    net::Task<> follow(Source& source);
    net::Task<base::Status> pull(Source& source);
    net::Task<base::Result<http::Response>> get(Url url, std::string etag, std::size_t limit);
    net::Task<base::Status> check(pki::Crl crl, Url url);
    net::Task<base::Result<pki::Certificate>> fetch_issuer(pki::Crl crl, Url url);
    base::Status take(Source& source, pki::Crl crl);
    void tell_failure(Source& source, const base::Error& why);
    void rebuild();

    Options options_;
    const base::Clock& clock_;
    std::vector<std::unique_ptr<Source>> sources_;
    std::function<void()> observer_;
    net::Loop* loop_ = nullptr;
    std::unique_ptr<net::TaskGroup> tasks_;
    bool stopping_ = false;  ///< on the loop
    mutable std::mutex mutex_;
    std::shared_ptr<const pki::CrlSet> current_;
};

}  // namespace crl
