// SPDX-License-Identifier: Apache-2.0
#include "ca/ledger.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <atomic>
#include <future>
#include <set>
#include <shared_mutex>

#include "base/result.hpp"
#include "ca/audit_line.hpp"
#include "ca/book_writer.hpp"
#include "ca/inventory_rows.hpp"
#include "ca/issuing.hpp"
#include "ca/layout.hpp"
#include "ca/readers.hpp"
#include "pki/digest.hpp"

namespace ca {
namespace {

using Turn = BookWriter::Turn;

/// Kept free for revocations, CRLs and the log when issuing has filled the disk.
constexpr std::uint64_t disk_reserve = 64ULL * 1024 * 1024;
/// Expired certificates leave the CRL one CRL after their end (RFC 5280 3.3).
constexpr std::chrono::days crl_lifetime{7};

base::Status check_disk(const Path& data) {
    struct statvfs info{};
    if (::statvfs(data.c_str(), &info) != 0) return {};
    if (info.f_bavail * info.f_frsize >= disk_reserve) return {};
    return base::fail(base::Code::unavailable, "disk of " + data.string(),
                      "is full but for what revocations need", "free some space on this disk");
}

Entry entry_of(const pki::Certificate& certificate) {
    Entry entry;
    entry.serial = serial_of(certificate);
    entry.subject = certificate.subject();
    entry.names = certificate.subject_alternative_names();
    entry.spki = pki::sha256(pki::PublicKey::of(certificate).der());
    entry.certificate = certificate.sha256();
    entry.not_before = certificate.not_before();
    entry.not_after = certificate.not_after();
    entry.der = certificate.der();
    return entry;
}

/// The audit line of something that was done with a certificate.
AuditLine line_of(std::string kind, const Entry& entry, const Actor& actor) {
    return {.kind = std::move(kind),
            .actor = actor.text(),
            .peer = actor.peer,
            .label = entry.label,
            .profile = std::string(pki::to_string(entry.profile)),
            .serial = entry.serial,
            .certificate = base::to_hex(entry.certificate),
            .spki = base::to_hex(entry.spki),
            .subject = entry.subject};
}

base::Result<pki::PrivateKey> audit_key(const Path& data) {
    const auto file = audit_key_file(data);
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored) || std::filesystem::exists(inventory_file(data), ignored))
        return pki::PrivateKey::load(file.string(), "audit key");
    // Not a key of the CA: who can sign certificates must not thereby be able to rewrite what was done.
    SP_TRY(return, auto key, pki::PrivateKey::generate(pki::KeyType::ec_p256));
    SP_TRY(return, const auto pem, key.pem());
    if (auto made = base::make_private_directories(key_directory(data)); !made)
        return std::unexpected(made.error());
    if (auto done = base::write_atomically(file, pem.text(), base::secret_mode); !done)
        return std::unexpected(done.error());
    return key;
}

base::Result<std::string> policy_hash(const Path& data) {
    SP_TRY(return, const auto text, base::read_file(config_file(data), "configuration"));
    return base::to_hex(pki::sha256(base::as_bytes(text)));
}

auto never_issued(const std::string& serial) {
    return base::fail(base::Code::not_found, "serial number " + serial, "was never issued here",
                      "look it up with sallyport ca list");
}

}  // namespace

struct Ledger::Impl {
    base::DirectoryLock lock;
    Path data;
    const base::Clock& clock;
    Issuing issuing;
    Readers readers;
    std::unique_ptr<BookWriter> writer{};

    mutable std::shared_mutex mutex{};  ///< of what follows
    std::set<std::string, std::less<>> blocked{};
    std::function<void(const std::string&)> observer{};
    std::atomic<bool> started = false;

    base::Status genesis(const pki::PrivateKey& key);
    base::Status note_policy();
    void tell_observer(const std::string& serial) const;
    base::Status import(Turn& turn, const pki::Certificate& certificate, pki::Profile profile,
                        const std::string& name, const std::string& issuer);
};

base::Status Ledger::Impl::import(Turn& turn, const pki::Certificate& certificate, pki::Profile profile,
                                  const std::string& name, const std::string& issuer) {
    auto entry = entry_of(certificate);
    entry.issuer = issuer;
    entry.profile = profile;
    entry.device = name;
    entry.issued_at = clock.now();
    entry.actor = Actor{}.text();
    auto line = line_of("import", entry, Actor{});
    const auto id = turn.seq + turn.lines.size();
    turn.lines.push_back(std::move(line));
    return rows::insert(turn.database, id, entry);
}

base::Status Ledger::Impl::genesis(const pki::PrivateKey& key) {
    return writer->run([&](Turn& turn) -> base::Status {
        turn.lines.push_back({.kind = "genesis",
                              .actor = Actor{}.text(),
                              .certificate = base::to_hex(issuing.root.sha256()),
                              .subject = issuing.root.subject(),
                              .detail = "key " + base::to_base64(key.public_key().der())});
        const auto& names = issuing.config.chain;
        std::string above = issuing.config.root;
        if (auto done = import(turn, issuing.root, pki::Profile::root, above, above); !done) return done;
        for (std::size_t i = 0; i < names.size(); ++i) {
            const auto& certificate = issuing.issuers[names.size() - 1 - i];
            if (auto done = import(turn, certificate, pki::Profile::intermediate, names[i], above); !done)
                return done;
            above = names[i];
        }
        return {};
    });
}

base::Status Ledger::Impl::note_policy() {
    SP_TRY(return, const auto hash, policy_hash(data));
    std::optional<std::string> known;
    auto read = readers.read([&](store::Database& database) -> base::Status {
        SP_TRY(return, known, rows::note(database, "policy"));
        return {};
    });
    if (!read || known == hash) return read;
    return writer->run([&](Turn& turn) -> base::Status {
        turn.lines.push_back(
            {.kind = "policy",
             .actor = Actor{}.text(),
             .detail = fmt::format("ca.toml {}{}", hash, known ? ", before " + *known : "")});
        return rows::set_note(turn.database, "policy", hash);
    });
}

void Ledger::Impl::tell_observer(const std::string& serial) const {
    std::function<void(const std::string&)> told;
    {
        const std::shared_lock held(mutex);
        told = observer;
    }
    if (told) told(serial);
}

Ledger::Ledger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Ledger::~Ledger() {
    if (impl_->started) write({.kind = "stop"});
}

base::Result<std::unique_ptr<Ledger>> Ledger::open(const std::filesystem::path& data,
                                                   const base::Clock& clock) {
    if (auto fine = check_is_ca(data); !fine) return std::unexpected(fine.error());
    SP_TRY(return, auto lock, base::DirectoryLock::take(data));
    SP_TRY(return, auto issuing, Issuing::load(data, clock.now()));
    SP_TRY(return, auto signer, audit_key(data));
    SP_TRY(return, auto database,
                 store::Database::open(inventory_file(data), store::Database::Access::read_write,
                                       rows::schema()));
    SP_TRY(return, const auto blocked, rows::blocked(*database));
    std::unique_ptr<Impl> impl(
        new Impl{std::move(lock), data, clock, std::move(issuing), Readers(inventory_file(data))});
    impl->blocked = {blocked.begin(), blocked.end()};
    SP_TRY(return, impl->writer,
                 BookWriter::open(std::move(database), signer.share(), clock,
                                  {.directory = audit_directory(data)}));
    if (impl->writer->is_empty())
        if (auto made = impl->genesis(signer); !made) return std::unexpected(made.error());
    if (auto noted = impl->note_policy(); !noted) return std::unexpected(noted.error());
    return std::unique_ptr<Ledger>(new Ledger(std::move(impl)));
}

const Config& Ledger::config() const {
    return impl_->issuing.config;
}
const pki::Certificate& Ledger::root() const {
    return impl_->issuing.root;
}
const pki::Chain& Ledger::issuers() const {
    return impl_->issuing.issuers;
}
const pki::PrivateKey& Ledger::key() const {
    return impl_->issuing.key;
}
const pki::Chain& Ledger::published() const {
    return impl_->issuing.published;
}

void Ledger::issue(const Order& order, std::function<void(base::Result<pki::Chain>)> done) {
    const auto now = impl_->clock.now();
    if (auto usable = impl_->writer->usable(); !usable) return done(std::unexpected(usable.error()));
    if (auto room = check_disk(impl_->data); !room) return done(std::unexpected(room.error()));
    auto chain = impl_->issuing.sign(order, now);
    if (!chain) return done(std::move(chain));
    auto entry = entry_of(chain->front());
    entry.issuer = impl_->issuing.config.issuing();
    entry.profile = order.profile;
    entry.label = order.label;
    entry.device = order.device.empty() ? chain->front().common_name() : order.device;
    entry.issued_at = now;
    entry.actor = order.actor.text();
    entry.replaces = order.replaces;
    auto line = line_of("issue", entry, order.actor);
    line.detail = order.detail;
    if (order.replaces) line.detail += (line.detail.empty() ? "replaces " : "; replaces ") + *order.replaces;
    impl_->writer->submit({[entry = std::move(entry), line = std::move(line)](Turn& turn) mutable {
                               turn.lines.push_back(std::move(line));
                               return rows::insert(turn.database, turn.seq, entry);
                           },
                           [done = std::move(done), chain = *std::move(chain)](base::Status result) mutable {
                               if (result) return done(std::move(chain));
                               auto why = std::move(result).error();
                               if (why.code == base::Code::disk_full || why.code == base::Code::io)
                                   why.code = base::Code::unavailable;
                               done(std::unexpected(std::move(why)));
                           }});
}

base::Status Ledger::import(const pki::Certificate& certificate, pki::Profile profile,
                            const std::string& issuer, const std::string& detail) {
    return impl_->writer->run([&](Turn& turn) -> base::Status {
        SP_TRY(return, const auto known, rows::find(turn.database, serial_of(certificate)));
        if (known) {
            turn.refused = base::fail(base::Code::already_exists, "certificate " + known->serial,
                                      "is in the inventory already");
            return {};
        }
        auto done = impl_->import(turn, certificate, profile, certificate.common_name(), issuer);
        if (done) turn.lines.back().detail = detail;
        return done;
    });
}

base::Result<pki::Chain> Ledger::issue(const Order& order) {
    std::promise<base::Result<pki::Chain>> promise;
    issue(order, [&](base::Result<pki::Chain> chain) { promise.set_value(std::move(chain)); });
    return promise.get_future().get();
}

base::Status Ledger::revoke(const std::string& serial, Reason reason, const Actor& actor) {
    auto done = impl_->writer->run([&](Turn& turn) -> base::Status {
        SP_TRY(return, const auto entry, rows::find(turn.database, serial));
        if (!entry) {
            turn.refused = never_issued(serial);
            return {};
        }
        // A hold may become final; nothing else changes any more.
        if (entry->revocation && entry->revocation->reason != Reason::certificate_hold) {
            turn.refused = base::fail(
                base::Code::already_exists, "certificate " + serial,
                fmt::format("was revoked at {} already ({})", base::format_rfc3339(entry->revocation->at),
                            to_string(entry->revocation->reason)));
            return {};
        }
        auto line = line_of("revoke", *entry, actor);
        line.reason = to_string(reason);
        turn.lines.push_back(std::move(line));
        return rows::set_revocation(turn.database, serial, Revocation{impl_->clock.now(), reason});
    });
    if (done) impl_->tell_observer(serial);
    return done;
}

base::Status Ledger::unrevoke(const std::string& serial, const Actor& actor) {
    auto done = impl_->writer->run([&](Turn& turn) -> base::Status {
        SP_TRY(return, const auto entry, rows::find(turn.database, serial));
        if (!entry) {
            turn.refused = never_issued(serial);
        } else if (!entry->revocation) {
            turn.refused =
                base::fail(base::Code::precondition_failed, "certificate " + serial, "is not revoked");
        } else if (entry->revocation->reason != Reason::certificate_hold) {
            turn.refused =
                base::fail(base::Code::precondition_failed, "certificate " + serial,
                           fmt::format("was revoked for good ({})", to_string(entry->revocation->reason)),
                           "issue another one; only a certificateHold can be lifted");
        }
        if (!turn.refused) return {};
        turn.lines.push_back(line_of("unrevoke", *entry, actor));
        return rows::set_revocation(turn.database, serial, std::nullopt);
    });
    if (done) impl_->tell_observer(serial);
    return done;
}

base::Status Ledger::block(const std::string& device, bool blocked, const Actor& actor) {
    auto done = impl_->writer->run([&](Turn& turn) -> base::Status {
        turn.lines.push_back({.kind = blocked ? "block" : "unblock",
                              .actor = actor.text(),
                              .peer = actor.peer,
                              .subject = device});
        return rows::set_blocked(turn.database, device, blocked, impl_->clock.now());
    });
    if (!done) return done;
    const std::unique_lock lock(impl_->mutex);
    if (blocked)
        impl_->blocked.insert(device);
    else
        impl_->blocked.erase(device);
    return {};
}

bool Ledger::is_blocked(const std::string& device) const {
    const std::shared_lock lock(impl_->mutex);
    return impl_->blocked.contains(device);
}

void Ledger::write(Event event) {
    if (event.kind == "start") impl_->started = true;
    impl_->writer->submit({[event = std::move(event)](Turn& turn) mutable {
        turn.lines.push_back({.kind = std::move(event.kind),
                              .actor = event.actor.text(),
                              .peer = std::move(event.actor.peer),
                              .label = std::move(event.label),
                              .profile = std::move(event.profile),
                              .reason = std::move(event.reason),
                              .serial = std::move(event.serial),
                              .subject = std::move(event.subject),
                              .detail = std::move(event.detail)});
        return base::Status{};
    }});
}

base::Result<std::string> Ledger::sign_head() {
    return impl_->writer->head();
}
std::uint64_t Ledger::audit_seq() const {
    return impl_->writer->seq();
}

std::optional<Entry> Ledger::find(const std::string& serial) const {
    std::optional<Entry> found;
    const auto normal = parse_serial(serial);
    if (!normal) return found;
    (void)impl_->readers.read([&](store::Database& database) -> base::Status {
        SP_TRY(return, found, rows::find(database, *normal));
        return {};
    });
    return found;
}

std::optional<Entry> Ledger::find(const pki::Certificate& certificate) const {
    auto found = find(serial_of(certificate));
    if (found && found->certificate != certificate.sha256()) found.reset();
    return found;
}

std::optional<Entry> Ledger::find_key(const Sha256& spki) const {
    std::optional<Entry> found;
    (void)impl_->readers.read([&](store::Database& database) -> base::Status {
        SP_TRY(return, found, rows::find_key(database, spki, impl_->clock.now()));
        return {};
    });
    return found;
}

bool Ledger::is_compromised(const Sha256& spki) const {
    bool compromised = false;
    (void)impl_->readers.read([&](store::Database& database) -> base::Status {
        SP_TRY(return, compromised, rows::is_compromised(database, spki));
        return {};
    });
    return compromised;
}

std::vector<Entry> Ledger::list(const Wish& wish) const {
    std::vector<Entry> entries;
    (void)impl_->readers.read([&](store::Database& database) -> base::Status {
        SP_TRY(return, entries, rows::list(database, wish, impl_->clock.now()));
        return {};
    });
    return entries;
}

std::vector<Ledger::Revoked> Ledger::revoked(const std::string& issuer) const {
    std::vector<Revoked> all;
    (void)impl_->readers.read([&](store::Database& database) -> base::Status {
        SP_TRY(return, all, rows::revoked(database, issuer, impl_->clock.now() - crl_lifetime));
        return {};
    });
    return all;
}

std::vector<Ledger::Count> Ledger::counts() const {
    std::vector<Count> all;
    (void)impl_->readers.read([&](store::Database& database) -> base::Status {
        SP_TRY(return, all, rows::counts(database, impl_->clock.now()));
        return {};
    });
    return all;
}

base::Result<std::uint64_t> Ledger::next_crl_number(const std::string& issuer) {
    std::uint64_t number = 0;
    const auto done = impl_->writer->run([&](Turn& turn) -> base::Status {
        SP_TRY(return, number, rows::next_crl_number(turn.database, issuer));
        turn.lines.push_back({.kind = "crl", .subject = issuer, .detail = fmt::format("number {}", number)});
        return {};
    });
    if (!done) return std::unexpected(done.error());
    return number;
}

void Ledger::on_revoked(std::function<void(const std::string& serial)> observer) {
    const std::unique_lock lock(impl_->mutex);
    impl_->observer = std::move(observer);
}

}  // namespace ca
