// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "pki/budget.hpp"
#include "pki/certificate_names.hpp"
#include "pki/verify.hpp"

namespace pki {

/// Searches a path from a leaf to a trust anchor, depth first, candidate after candidate. Every check of an
/// issuer looks only at the issuer and at what lies below it, so a path is judged while it grows and a wrong
/// turn is left at its first fault. Of the paths that failed, the one that came furthest is kept, for the
/// reader. For `pki` only.
class PathBuilder {
  public:
    /// `input` must outlive the builder. common_name: what stands in for the leaf's dNSName, empty where
    /// nothing does.
    PathBuilder(const VerifyInput& input, std::string common_name, Budget& budget);

    /// Appends the steps of the path that was found, or of the best that was tried, and gives that path.
    Chain build(Verdict& verdict);

  private:
    struct Link {
        const Certificate* certificate;
        bool self_issued;
        std::optional<CertificateNames> names;  ///< read when the first CA with constraints asks for them
    };
    enum class Source { anchor, presented };
    struct Candidate {
        const Certificate* certificate;
        Source source;
        int rank;  ///< lower is tried first
    };
    struct Attempt {
        std::vector<Step> steps;
        Chain path;
        std::size_t depth = 0;
        int quality = 0;
    };

    bool extend();
    std::vector<Candidate> candidates() const;
    bool check_issuer(const Candidate& candidate);
    bool check_names(const Certificate& issuer);
    bool check_signature(const Certificate& issuer, bool worth_it);
    bool is_in_path(const Certificate& certificate) const;
    int issuers_not_self_issued() const;
    const Certificate& last() const { return *path_.back().certificate; }
    int link() const { return static_cast<int>(path_.size()); }
    const std::string& subject_text(const Certificate& certificate);
    void report_no_issuer();
    void remember(const Certificate* failed, int quality);

    const VerifyInput& input_;
    std::string common_name_;
    Budget& budget_;
    SubjectIndex presented_;
    Verdict verdict_;
    std::vector<Link> path_;
    std::unordered_map<const Certificate*, std::string> subject_texts_;
    std::optional<Attempt> best_;
};

}  // namespace pki
