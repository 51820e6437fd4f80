// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "edge/certificate_pair.hpp"
#include "edge/renewal_policy.hpp"
#include "net/completion.hpp"
#include "net/timer.hpp"

namespace edge {

/// A certificate that a service keeps: what it is, who makes it, and when it is renewed.
struct RenewalSubject {
    std::string thing;  ///< "Edge CA": in logs and errors
    std::string id;     ///< of certificate and key
    /// Where a self-signed one is kept once it has been replaced, until it expires; empty: nowhere.
    std::string previous_id{};
    /// The operator supplies it: it is watched, never made or changed.
    bool supplied = false;
    /// Absent: made where it is missing, and watched.
    std::optional<RenewalPolicy> policy;
    std::string algorithms = "ec-p256:rsa-2048:*";
    /// What the operator does about one that ends and is not renewed.
    std::string fix;
    std::function<net::Task<base::Result<pki::CsrWish>>()> wish;
    /// Asks whoever the certificate is for whether it takes the next pair (the ids of certificate and key,
    /// the certificate); until it does the old one stays in use. Empty: nobody is asked.
    std::function<net::Task<base::Status>(std::string certificate_id, std::string key_id,
                                          pki::Certificate next)>
        accepted;
    /// After one was made or taken over.
    std::function<void(const pki::Certificate& now)> changed;
};

/// Keeps one certificate and its key whole and renewed, for as long as its service runs
/// (docs/reference/edge.md, "Renewal"). Looks at the pair at the start, every hour, and when a renewal is
/// due; repairs what a power loss has left; never gives up. On one loop.
class Renewal {
  public:
    Renewal(RenewalSubject subject, KeysClient keys, CertificatesClient certificates,
            const base::Clock& clock);

    /// Runs until `stop`.
    net::Task<> run();
    void stop();
    /// Looks again now; what has failed is not tried before its time for that.
    void wake();
    /// For who could not use the pair: it is looked at again, once.
    void suspect();
    /// One look and what it asks for; answers with the time of the next one. `run` repeats it.
    net::Task<base::Instant> step();

    /// Returns after the first step, or at the stop.
    net::Task<> first_step();
    /// Looks again now and returns after that step; at once where nothing runs.
    net::Task<> next_step();
    /// Returns while no pair is being changed: the one in use belongs together.
    net::Task<> settled();
    /// Counts what was made or taken over, and what is being taken over: who failed with the pair tries again
    /// where this has changed meanwhile.
    std::uint64_t changes() const { return changes_; }
    /// Certificate and key are there and belong together.
    bool whole() const { return whole_; }

  private:
    net::Task<base::Status> look();
    net::Task<base::Status> make();
    net::Task<base::Status> renew(CertificatePair::State state);
    net::Task<base::Status> replace(CertificatePair::State state);
    net::Task<base::Result<CertificatePair::State>> repaired(CertificatePair::State state);
    net::Task<base::Status> take(CertificatePair::State state);
    bool is_held() const;
    void watch(const pki::Certificate& certificate);
    void begin_change();
    void end_change();
    void adopt(std::string_view event, const pki::Certificate& certificate);
    void note(std::string_view event, const pki::Certificate& certificate);
    base::Instant after_failure(const base::Error& why);
    void release(std::vector<net::Completion>& waiting);

    RenewalSubject subject_;
    CertificatePair pair_;
    const base::Clock& clock_;
    std::optional<net::Event> wake_;
    std::vector<net::Completion> for_first_;
    std::vector<net::Completion> for_settled_;
    std::optional<Validity> in_use_;  ///< of a whole pair
    base::Instant next_{};            ///< set by `look`
    base::Instant retry_at_{};        ///< after a failure
    std::chrono::seconds pause_{};    ///< before `retry_at_`
    base::Instant warned_{};
    std::optional<pki::Sha256> noted_;  ///< the certificate that the log has told about
    int failures_ = 0;
    std::uint64_t changes_ = 0;
    bool changing_ = false;
    bool stepped_ = false;
    bool whole_ = false;
    bool stopping_ = false;
};

}  // namespace edge
