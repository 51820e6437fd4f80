// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pki {

enum class Outcome : std::uint8_t { passed, warned, failed, skipped };
std::string_view to_string(Outcome outcome);

/// One check of a trust decision. `check` is a stable id from `pki/checks.hpp` or `trust/checks.hpp`
/// ("leaf.validity", "leaf.san", "path.issuer", "token.signature").
struct Step {
    std::string_view check;
    int link = -1;  ///< 0 is the leaf; -1 where the check is about no certificate
    Outcome outcome = Outcome::failed;
    std::string expected;  ///< "dNSName edgegateway.local"
    std::string found;     ///< "dNSName edgegateway"
};

/// A trust decision with the way that led there. Whether it is a yes is computed from the steps, never
/// stored.
struct Verdict {
    std::vector<Step> steps;

    /// True where there is at least one step and none failed.
    bool accepted() const;
    /// The first failed step; nullptr where none failed.
    const Step* first_failure() const;

    void pass(std::string_view check, int link, std::string expected, std::string found);
    void warn(std::string_view check, int link, std::string expected, std::string found);
    void fail(std::string_view check, int link, std::string expected, std::string found);
    void skip(std::string_view check, int link, std::string expected);
    void append(Verdict more);
};

/// What to do about a failed check, one text for log, command line, console and reference page; empty where
/// there is no general advice.
std::string_view advice(std::string_view check);

/// One line a step, in aligned columns: "  passed  leaf.validity   leaf    2026-11-25T10:00:00Z to ...", a
/// failed one with both sides: "  failed  leaf.san  leaf  expected dNSName a.local, found DNS:b.local". For
/// people; no colours.
std::string to_text(const Verdict& verdict);
/// The same with the outcome in ANSI colours, for a terminal.
std::string to_coloured_text(const Verdict& verdict);
/// "accepted" or "leaf.validity failed at leaf: expected ..., found ...": one line for logs.
std::string summary(const Verdict& verdict);

}  // namespace pki
