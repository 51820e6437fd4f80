// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace pki {

/// What one verification may cost. A hostile bundle of cross-signed CAs or of thousands of names must not
/// cost a second: 100 signatures are some ten milliseconds (P-256) and no honest path comes near. The deepest
/// path that we know of in the field has four issuers.
class Budget {
  public:
    static constexpr int most_signatures = 100;
    static constexpr int most_comparisons = 5000;
    static constexpr std::size_t most_depth = 10;  ///< issuers above the leaf

    /// Takes one signature check; false where none is left.
    bool take_signature() { return take(signatures_); }
    /// Takes one comparison of names: of a certificate with an issuer's name, a name with a constraint, or a
    /// SAN with the name that was dialled.
    bool take_comparison() { return take(comparisons_); }
    bool exhausted() const { return exhausted_; }
    bool signatures_exhausted() const { return exhausted_ && signatures_ == 0; }

  private:
    bool take(int& left) {
        if (left == 0)
            exhausted_ = true;
        else
            --left;
        return !exhausted_;
    }
    int signatures_ = most_signatures;
    int comparisons_ = most_comparisons;
    bool exhausted_ = false;
};

}  // namespace pki
