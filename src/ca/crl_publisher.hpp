// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.hpp"
#include "ca/crl_books.hpp"
#include "pki/crl.hpp"

namespace ca {

/// A CRL as it is served.
struct PublishedCrl {
    pki::Crl crl;
    std::string etag;  ///< with its quotes
};

/// Publishes the CRL of the issuing CA: a new one every day and at once after each revocation, number on disk
/// before the CRL is seen, good for a week (est-and-pki.md 6.1). The CRLs of the CAs above it are made where
/// their keys lie here (good for a year), else taken from the files that a ceremony left. What was published
/// stays where a new one cannot be made. Works on a thread of its own; `current` from any.
class CrlPublisher {
  public:
    /// directory: `DIR/crl`, made where it is missing; keys: `DIR/private`. books, clock: outlive it.
    static base::Result<std::unique_ptr<CrlPublisher>> open(CrlBooks& books, std::filesystem::path directory,
                                                            std::filesystem::path keys,
                                                            const base::Clock& clock);
    ~CrlPublisher();

    /// Null where there is none yet, or no such CA.
    std::shared_ptr<const PublishedCrl> current(const std::string& ca) const;
    /// A revocation is on disk: publishes soon, several at once together.
    void revoked();
    /// Publishes soon where a revocation is not in the CRL yet: for who begins to follow the books.
    void catch_up();
    /// Publishes now. For commands and tests.
    base::Status publish();
    /// Begins the thread. each_tick: called on it twice a minute.
    void start(std::function<void()> each_tick);

  private:
    CrlPublisher(CrlBooks& books, std::filesystem::path directory, std::filesystem::path keys,
                 const base::Clock& clock);
    void run(const std::stop_token& stop, const std::function<void()>& each_tick);
    enum class Depth { dates, entries };
    base::Status look(Depth depth);
    base::Status load(const CrlBooks::Authority& authority);
    base::Status make(const CrlBooks::Authority& authority, const pki::PrivateKey& key,
                      std::chrono::seconds life);
    base::Status keep_upper(const CrlBooks::Authority& authority, Depth depth);
    bool is_due(const CrlBooks::Authority& authority, std::chrono::seconds life) const;
    bool is_behind(const CrlBooks::Authority& authority) const;
    void warn_of_age();
    std::filesystem::path file_of(const std::string& ca) const;
    void put(const std::string& ca, pki::Crl crl);

    CrlBooks& books_;
    std::filesystem::path directory_, keys_;
    const base::Clock& clock_;
    std::mutex making_;
    mutable std::mutex mutex_;  // guards what follows
    std::map<std::string, std::shared_ptr<const PublishedCrl>> published_;
    std::map<std::string, std::filesystem::file_time_type> seen_;
    bool asked_ = false;
    base::Instant warned_{};
    std::string trouble_;
    std::condition_variable_any wake_;
    std::jthread thread_;  // last: it ends first
};

/// The table of a CRL: what is revoked, by serial.
base::Result<std::vector<pki::RevokedSerial>> revoked_serials(const std::vector<Ledger::Revoked>& revoked);

inline std::filesystem::path crl_directory(const std::filesystem::path& data) {
    return data / "crl";
}

}  // namespace ca
