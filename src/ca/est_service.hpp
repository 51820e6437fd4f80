// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ca/approvals.hpp"
#include "ca/caller.hpp"
#include "ca/issue_rate.hpp"
#include "ca/ledger.hpp"
#include "ca/policy.hpp"
#include "ca/refusal.hpp"
#include "ca/refusal_log.hpp"
#include "ca/users.hpp"
#include "ca/workers.hpp"
#include "http/server.hpp"

namespace ca {

/// EST over HTTP (RFC 7030, 8951; est-and-pki.md 1): every request becomes a certificate or one of the
/// refusals of section 10, checked in its order. From any loop.
class EstService {
  public:
    /// Reads the anchors of `[[bootstrap]]`. The ledger, the approvals and the clock outlive it.
    static base::Result<std::unique_ptr<EstService>> open(Ledger& ledger, Approvals& approvals,
                                                          const base::Clock& clock);

    net::Task<http::Response> answer(http::Request request, const net::Peer& peer);
    /// The body of an answer that the HTTP server itself gives.
    static http::Response answer_of_server(int status, std::string_view reason);

  private:
    EstService(Ledger& ledger, Approvals& approvals, const base::Clock& clock, CallerRules rules);

    /// What of a request is known, for its answer and for the audit log.
    struct Call {
        est::Path path;
        const LabelConfig* label = nullptr;
        std::string peer, user_agent;
        Actor actor{};
        std::string subject{}, profile{};
    };
    using Answer = Granted<http::Response>;

    net::Task<Answer> serve(Call& call, const http::Request& request, const net::Peer& peer);
    Granted<void> find_label(Call& call, const http::Request& request) const;
    net::Task<Granted<Caller>> authenticate(Call& call, const http::Request& request, const net::Peer& peer);
    net::Task<Granted<Caller>> log_in(Call& call, std::string_view field);
    net::Task<Answer> enrol(Call& call, const http::Request& request, Caller caller);
    net::Task<Answer> issue(Call& call, const Caller& caller, const Grant& grant, pki::PublicKey key);
    net::Task<Answer> make_key_and_issue(Call& call, const Caller& caller, const Grant& grant);
    net::Task<Granted<pki::Certificate>> order(const Call& call, const Caller& caller, const Grant& grant,
                                               pki::PublicKey key);
    Granted<void> check_known_key(const pki::PublicKey& key, const Grant& grant) const;
    /// Whether an operator has agreed; refused as policy.pending or policy.denied where not.
    Granted<void> ask_operator(const Call& call, const Caller& caller, const Grant& grant,
                               const pki::Csr& csr);
    Approvals::Question question_of(const Call& call, const Caller& caller, const Grant& grant,
                                    const pki::PublicKey& key) const;
    http::Response cacerts(const Call& call) const;
    http::Response csrattrs(const Call& call) const;
    http::Response refuse(const Call& call, const Refusal& refusal);

    Ledger& ledger_;
    Approvals& approvals_;
    const base::Clock& clock_;
    const CallerRules rules_;
    Users users_;
    IssueRate rate_;
    RefusalLog refusals_;
    Workers workers_;
};

}  // namespace ca
