// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "ca/config.hpp"
#include "ca/refusal.hpp"
#include "pki/digest.hpp"

namespace ca {

/// A user and a password, as HTTP basic gives them.
struct Credentials {
    std::string user;
    base::SecretBytes password;
};

/// Reads an Authorization field; auth.header where it is not basic or does not parse (RFC 7617).
Granted<Credentials> read_basic(std::string_view field);

/// The `[[user]]` entries and what is remembered of logins: successes for ten minutes, so that argon2 does
/// not bound the throughput, and failures for a minute, to slow down whoever guesses. From any thread.
class Users {
  public:
    explicit Users(const EstConfig& config);

    /// rate.limit where this user or address has failed too often within a minute.
    Granted<void> may_try(const std::string& user, const std::string& address, base::Instant now);
    /// The user whose password this was lately; nullptr where it has to be looked at.
    const UserConfig* remembered(const Credentials& credentials, base::Instant now);
    /// Takes tens of milliseconds, for unknown users too. nullptr: not this user's password.
    const UserConfig* verify(const Credentials& credentials, const std::string& address, base::Instant now);

  private:
    using Times = std::vector<base::Instant>;
    static std::size_t recent(Times& times, base::Instant now);
    pki::Sha256 mark_of(const Credentials& credentials) const;

    const EstConfig& config_;
    const base::SecretBytes secret_;  // of this process, for the marks of good passwords
    const std::string nobody_;        // a hash that no password fits
    std::mutex mutex_;
    std::map<pki::Sha256, base::Instant> good_;
    std::map<std::string, Times, std::less<>> failed_users_, failed_addresses_;
};

}  // namespace ca
