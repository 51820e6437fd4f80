// SPDX-License-Identifier: Apache-2.0
#include "ca/users.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "ca/password.hpp"

namespace ca {
namespace {

constexpr std::chrono::minutes good_for{10};
constexpr std::chrono::seconds failure_window{60};
constexpr std::size_t most_user_failures = 10;
constexpr std::size_t most_address_failures = 60;
constexpr std::size_t most_remembered = 10'000;

std::string unfitting_hash() {
    const auto password = base::to_hex(pki::random_bytes(32));
    return hash_password(password).value_or("");
}

}  // namespace

Granted<Credentials> read_basic(std::string_view field) {
    const auto bad = [](std::string text) { return refuse_with("auth.header", std::move(text)); };
    field = base::trim(field);
    const auto blank = field.find(' ');
    if (blank == std::string_view::npos || !base::equal_ignoring_case(field.substr(0, blank), "Basic"))
        return bad("Authorization is not of the scheme Basic");
    auto decoded = base::from_base64(base::trim(field.substr(blank)));
    if (!decoded) return bad("Authorization is not base64");
    const auto text = base::as_text(*decoded);
    const auto colon = text.find(':');
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (colon == std::string_view::npos || std::ranges::any_of(text, control)) {
        base::wipe(decoded->data(), decoded->size());
        return bad("Authorization has no colon between user and password, or has control characters");
    }
    Credentials credentials{std::string(text.substr(0, colon)), base::SecretBytes(text.substr(colon + 1))};
    base::wipe(decoded->data(), decoded->size());
    return credentials;
}

Users::Users(const EstConfig& config)
    : config_(config), secret_(pki::random_secret(32)), nobody_(unfitting_hash()) {}

std::size_t Users::recent(Times& times, base::Instant now) {
    std::erase_if(times, [&](base::Instant when) { return when + failure_window <= now; });
    return times.size();
}

pki::Sha256 Users::mark_of(const Credentials& credentials) const {
    base::Bytes message;
    const auto user = base::as_bytes(credentials.user);
    message.insert(message.end(), user.begin(), user.end());
    message.push_back(std::byte{0});
    const auto password = credentials.password.bytes();
    message.insert(message.end(), password.begin(), password.end());
    const auto mark = pki::hmac_sha256(secret_.bytes(), message);
    base::wipe(message.data(), message.size());
    return mark;
}

Granted<void> Users::may_try(const std::string& user, const std::string& address, base::Instant now) {
    const std::lock_guard lock(mutex_);
    const auto failed = [&](auto& map, const std::string& key) {
        const auto found = map.find(key);
        return found == map.end() ? 0 : recent(found->second, now);
    };
    if (failed(failed_users_, user) < most_user_failures &&
        failed(failed_addresses_, address) < most_address_failures)
        return {};
    return refuse_for_now("rate.limit", "too many wrong passwords; try again later", failure_window);
}

const UserConfig* Users::remembered(const Credentials& credentials, base::Instant now) {
    const auto mark = mark_of(credentials);
    const std::lock_guard lock(mutex_);
    const auto found = good_.find(mark);
    if (found == good_.end() || found->second <= now) return nullptr;
    return config_.user(credentials.user);
}

const UserConfig* Users::verify(const Credentials& credentials, const std::string& address,
                                base::Instant now) {
    const auto* user = config_.user(credentials.user);
    const bool fits = password_fits(user ? user->password_hash : nobody_, credentials.password.text());
    const auto mark = mark_of(credentials);
    const std::lock_guard lock(mutex_);
    if (user && fits) {
        if (good_.size() >= most_remembered) good_.clear();
        good_[mark] = now + good_for;
        return user;
    }
    const auto note = [&](auto& map, const std::string& key) {
        if (map.size() >= most_remembered) map.clear();
        map[key].push_back(now);
    };
    if (credentials.user.size() <= 256) note(failed_users_, credentials.user);
    note(failed_addresses_, address);
    return nullptr;
}

}  // namespace ca
