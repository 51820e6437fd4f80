// SPDX-License-Identifier: Apache-2.0
#include "ca/crl_publisher.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "pki/digest.hpp"

namespace ca {
namespace {

constexpr std::chrono::hours rhythm{24};
constexpr std::chrono::days life_of_issuing{7};
constexpr std::chrono::days life_of_upper{365};
constexpr std::chrono::seconds tick{30};
/// Between two CRLs, so that a thousand revocations are not a thousand CRLs.
constexpr std::chrono::milliseconds breath{1000};
constexpr std::chrono::hours warned_again{1};
constexpr std::size_t largest = 256 * 1024 * 1024;

const Actor& publisher_actor() {
    static const Actor self{.kind = Actor::Kind::command, .id = "ca-run", .peer = {}};
    return self;
}

}  // namespace

base::Result<std::vector<pki::RevokedSerial>> revoked_serials(const std::vector<Ledger::Revoked>& revoked) {
    std::vector<pki::RevokedSerial> table;
    table.reserve(revoked.size());
    for (const auto& each : revoked) {
        const auto serial = pki::Serial::from_hex(each.serial);
        if (!serial)
            return base::fail(base::Code::internal, "serial number " + each.serial, "cannot stand in a CRL");
        table.push_back({*serial, static_cast<std::uint8_t>(each.revocation.reason), each.revocation.at});
    }
    // In the inventory they are in the order of their texts.
    std::ranges::sort(table, {}, &pki::RevokedSerial::serial);
    return table;
}

CrlPublisher::CrlPublisher(CrlBooks& books, std::filesystem::path directory, std::filesystem::path keys,
                           const base::Clock& clock)
    : books_(books), directory_(std::move(directory)), keys_(std::move(keys)), clock_(clock) {}
CrlPublisher::~CrlPublisher() = default;

base::Result<std::unique_ptr<CrlPublisher>> CrlPublisher::open(CrlBooks& books,
                                                               std::filesystem::path directory,
                                                               std::filesystem::path keys,
                                                               const base::Clock& clock) {
    std::unique_ptr<CrlPublisher> publisher(
        new CrlPublisher(books, std::move(directory), std::move(keys), clock));
    if (auto made = base::make_private_directories(publisher->directory_); !made)
        return std::unexpected(std::move(made).error());
    // What was published stays served where nothing new can be made.
    if (auto done = publisher->look(Depth::entries); !done)
        base::log::error(base::events::crl_not_published, done.error());
    return publisher;
}

std::filesystem::path CrlPublisher::file_of(const std::string& ca) const {
    return directory_ / (ca + ".crl");
}

std::shared_ptr<const PublishedCrl> CrlPublisher::current(const std::string& ca) const {
    const std::lock_guard lock(mutex_);
    const auto found = published_.find(ca);
    return found == published_.end() ? nullptr : found->second;
}

void CrlPublisher::put(const std::string& ca, pki::Crl crl) {
    const auto digest = pki::sha256(crl.der());
    constexpr std::size_t enough = 32;
    auto etag = "\"" + base::to_hex(digest).substr(0, enough) + "\"";
    auto next = std::make_shared<const PublishedCrl>(PublishedCrl{std::move(crl), std::move(etag)});
    const std::lock_guard lock(mutex_);
    published_[ca] = std::move(next);
}

/// Takes the file where it is another than before. One that the CA did not sign is not served.
base::Status CrlPublisher::load(const CrlBooks::Authority& authority) {
    const auto file = file_of(authority.name);
    std::error_code missing;
    const auto written = std::filesystem::last_write_time(file, missing);
    if (missing) return {};
    {
        const std::lock_guard lock(mutex_);
        if (const auto seen = seen_.find(authority.name); seen != seen_.end() && seen->second == written)
            return {};
        seen_[authority.name] = written;
    }
    SP_TRY(return, const auto content, base::read_file(file, "CRL", largest));
    SP_TRY(return, auto crl, pki::Crl::read(base::as_bytes(content), "CRL " + file.string()));
    if (auto good = crl.check_issuer(authority.certificate); !good) return good;
    put(authority.name, std::move(crl));
    return {};
}

bool CrlPublisher::is_due(const CrlBooks::Authority& authority, std::chrono::seconds life) const {
    const auto published = current(authority.name);
    if (!published) return true;
    const auto now = clock_.now();
    const auto age = now - published->crl.this_update();
    // A clock that was set back far would leave a CRL of the future for years.
    if (age < std::chrono::seconds(0)) return true;
    return age >= std::min<std::chrono::seconds>(life / 2, life == life_of_issuing ? rhythm : life);
}

/// A crash may have come between a revocation and its CRL.
bool CrlPublisher::is_behind(const CrlBooks::Authority& authority) const {
    const auto published = current(authority.name);
    const auto table = revoked_serials(books_.revoked(authority.name));
    if (!published || !table || published->crl.size() != table->size()) return true;
    return std::ranges::any_of(*table,
                               [&](const auto& each) { return published->crl.find(each.serial) == nullptr; });
}

void CrlPublisher::catch_up() {
    if (is_behind(books_.authorities().front())) revoked();
}

base::Status CrlPublisher::make(const CrlBooks::Authority& authority, const pki::PrivateKey& key,
                                std::chrono::seconds life) {
    const std::lock_guard one_at_a_time(making_);
    SP_TRY(return, const auto table, revoked_serials(books_.revoked(authority.name)));
    SP_TRY(return, const auto number, books_.next_crl_number(authority.name));
    const auto now = clock_.now();
    SP_TRY(return, const auto der,
                 pki::make_crl({.issuer = authority.certificate,
                                .key = key,
                                .number = number,
                                .this_update = now,
                                .next_update = now + life,
                                .revoked = table,
                                .ca_issuers_url = books_.http().ca_issuers_url(authority.name)}));
    SP_TRY(return, auto crl, pki::Crl::from_der(der, "CRL of " + authority.name));
    const auto file = file_of(authority.name);
    if (auto written = base::write_atomically(file, der, base::public_mode); !written) return written;
    put(authority.name, std::move(crl));
    {
        std::error_code ignored;
        const std::lock_guard lock(mutex_);
        seen_[authority.name] = std::filesystem::last_write_time(file, ignored);
    }
    base::log::info(base::events::crl_published, {{"ca", authority.name},
                                                  {"number", std::to_string(number)},
                                                  {"revoked", std::to_string(table.size())}});
    books_.write({.kind = "crl",
                  .actor = publisher_actor(),
                  .label = {},
                  .profile = {},
                  .reason = {},
                  .serial = {},
                  .subject = authority.certificate.subject(),
                  .detail = fmt::format("number {}, {} revoked", number, table.size())});
    return {};
}

base::Status CrlPublisher::keep_upper(const CrlBooks::Authority& authority, Depth depth) {
    if (auto loaded = load(authority); !loaded) return loaded;
    const auto key_file = keys_ / (authority.name + ".key.pem");
    std::error_code ignored;
    if (!std::filesystem::exists(key_file, ignored)) return {};
    if (!is_due(authority, life_of_upper) && (depth == Depth::dates || !is_behind(authority))) return {};
    SP_TRY(return, const auto key, pki::PrivateKey::load(key_file.string(), "CA key"));
    return make(authority, key, life_of_upper);
}

/// Looks at every CA, and makes what is due. A CA above that fails does not hold up the issuing one.
base::Status CrlPublisher::look(Depth depth) {
    base::Status outcome;
    const auto& all = books_.authorities();
    for (std::size_t at = 0; at < all.size(); ++at) {
        base::Status done;
        if (at != 0) {
            done = keep_upper(all[at], depth);
        } else {
            // A file that is no CRL of ours is replaced by one.
            if (auto loaded = load(all[at]); !loaded)
                base::log::write(base::log::Level::warning, base::events::crl_refused, loaded.error());
            if (is_due(all[at], life_of_issuing) || (depth == Depth::entries && is_behind(all[at])))
                done = make(all[at], books_.key(), life_of_issuing);
        }
        if (!done && outcome) outcome = std::move(done);
    }
    return outcome;
}

base::Status CrlPublisher::publish() {
    return make(books_.authorities().front(), books_.key(), life_of_issuing);
}

void CrlPublisher::revoked() {
    {
        const std::lock_guard lock(mutex_);
        asked_ = true;
    }
    wake_.notify_all();
}

void CrlPublisher::start(std::function<void()> each_tick) {
    thread_ = std::jthread(
        [this, each_tick = std::move(each_tick)](const std::stop_token& stop) { run(stop, each_tick); });
}

void CrlPublisher::run(const std::stop_token& stop, const std::function<void()>& each_tick) {
    while (!stop.stop_requested()) {
        bool asked = false;
        {
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, stop, tick, [this] { return asked_; });
            asked = std::exchange(asked_, false);
        }
        if (stop.stop_requested()) return;
        if (each_tick) each_tick();
        auto done = asked ? publish() : base::Status{};
        if (done) done = look(asked ? Depth::entries : Depth::dates);
        if (!done) {
            const auto text = done.error().text();
            if (std::exchange(trouble_, text) != text)
                base::log::error(base::events::crl_not_published, done.error());
            if (asked) revoked();
        } else {
            trouble_.clear();
        }
        warn_of_age();
        if (!asked) continue;
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, stop, breath, [] { return false; });
    }
}

void CrlPublisher::warn_of_age() {
    const auto now = clock_.now();
    if (now - warned_ < warned_again && now >= warned_) return;
    for (const auto& authority : books_.authorities()) {
        const auto published = current(authority.name);
        if (!published || !published->crl.next_update()) continue;
        const auto next = *published->crl.next_update();
        const auto life = next - published->crl.this_update();
        if (next - now >= life / 2) continue;
        warned_ = now;
        base::log::warning(
            base::events::crl_not_published,
            {{"ca", authority.name},
             {"age", base::format_duration(now - published->crl.this_update())},
             {"next_update", base::format_rfc3339(next)},
             {"fix", "have a new CRL made before that: its key is not here, or it cannot sign"}});
    }
}

}  // namespace ca
