// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pki/budget.hpp"
#include "pki/certificate_names.hpp"
#include "pki/name_subtree.hpp"

namespace pki {

/// The nameConstraints of one CA (RFC 5280 4.2.1.10). For `pki` only. Views into the certificate's own
/// extension.
class NameConstraints {
  public:
    /// nullopt where the certificate has none. One that breaks a rule (a wildcard or a leading dot in a
    /// dNSName, an address without a contiguous mask, minimum or maximum) is kept with the reason in
    /// `malformed()`.
    static std::optional<NameConstraints> of(const Certificate& ca);

    const std::string& malformed() const { return malformed_; }  ///< empty where it is well formed
    /// "permitted DNS:example.com, excluded IP:10.0.0.0/255.0.0.0": the first few, for people.
    std::string text() const;

    enum class Answer { allowed, refused, out_of_budget };
    struct Finding {
        Answer answer = Answer::allowed;
        std::string expected;
        std::string found;
        std::string warning;  ///< a kind of name that we cannot compare, where the extension is not critical
    };
    /// Compares every name with every constraint of its kind: in none that is excluded and, where there is a
    /// permitted one of the kind, in one of these. A malformed name of a constrained kind is refused, and so
    /// is a kind that we cannot compare where the extension is critical.
    Finding check(const CertificateNames& names, Budget& budget) const;
    /// The same for one dNSName, or for a common name that stands in for it.
    Finding check_dns(std::string_view name, Budget& budget) const;

  private:
    template <class Base>
    struct Subtrees {
        std::vector<Base> permitted;
        std::vector<Base> excluded;
        bool any() const { return !permitted.empty() || !excluded.empty(); }
    };
    NameConstraints() = default;
    void read(const GENERAL_SUBTREE& subtree, bool permitted);
    template <class Base, class Within, class Text>
    Finding compare(const Subtrees<Base>& subtrees, Within within, Text name_text, Budget& budget) const;
    Finding check_email(std::string_view name, Budget& budget) const;
    Finding check_uri(std::string_view name, Budget& budget) const;
    Finding check_address(Octets name, Budget& budget) const;
    Finding check_directory(const DirectoryName& name, Budget& budget) const;
    Finding check_others(const CertificateNames& names) const;
    Finding malformed_name(std::string name) const;

    NameConstraintsPtr owner_;
    bool critical_ = false;
    std::string malformed_;
    std::vector<std::string> texts_;
    Subtrees<std::string_view> dns_;
    Subtrees<std::string_view> email_;
    Subtrees<std::string_view> uri_;
    Subtrees<Octets> addresses_;
    Subtrees<DistinguishedName> directories_;
    std::vector<int> others_;
};

}  // namespace pki
