// SPDX-License-Identifier: Apache-2.0
#include "gateway/scope_store.hpp"

#include <array>
#include <atomic>
#include <boost/json.hpp>
#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "pki/digest.hpp"

namespace gateway {

namespace {

namespace json = boost::json;

constexpr std::size_t nonce_size = 12;
constexpr std::string_view state_row = "state";

constexpr std::array migrations{store::Migration{1, "wrapped data key and sealed records", R"(
    CREATE TABLE data_key (id INTEGER PRIMARY KEY CHECK (id = 1), vector BLOB NOT NULL, ciphertext BLOB NOT NULL);
    CREATE TABLE record (id TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
)"}};

// No id holds a slash, so that the kinds cannot be mistaken for each other.
std::string row_of(const trust::Identity& identity) {
    return (identity.is_module() ? "module/" : "device/") + identity.text();
}
std::string row_of(const VerifiedCa& ca) {
    return "ca/" + ca.name;
}

base::Bytes additional(std::string_view row) {
    const std::string text = "sallyport scope record 1 " + std::string(row);
    const auto bytes = base::as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

base::Result<base::Bytes> seal(const base::SecretBytes& key, std::string_view row, std::string_view plain) {
    auto sealed = pki::random_bytes(nonce_size);
    SP_TRY(return, const auto rest,
                 pki::aead_seal(key.bytes(), sealed, additional(row), base::as_bytes(plain)));
    sealed.insert(sealed.end(), rest.begin(), rest.end());
    return sealed;
}

base::Result<base::SecretBytes> unseal(const base::SecretBytes& key, std::string_view row,
                                       std::span<const std::byte> sealed) {
    if (sealed.size() < nonce_size) {
        return base::fail(base::Code::malformed, "scope record " + std::string(row), "is cut off");
    }
    return pki::aead_open(key.bytes(), sealed.first(nonce_size), additional(row), sealed.subspan(nonce_size));
}

std::string to_text(const trust::Record& record) {
    if (record.identity.is_module()) {
        azure::Module module;
        module.record = record;
        return azure::to_json(module);
    }
    azure::Device device;
    device.record = record;
    return azure::to_json(device);
}

std::string state_text(const ScopeOwner& owner, const ScopeCache& cache) {
    json::object state{{"hub", owner.hub}, {"device", owner.device}, {"version", cache.version()}};
    if (cache.confirmed()) state["confirmed"] = cache.confirmed()->time_since_epoch().count();
    return json::serialize(state);
}

struct State {
    ScopeOwner owner;
    std::uint64_t version = 0;
    std::optional<base::Instant> confirmed;
};

base::Result<State> read_state(std::string_view text) {
    boost::system::error_code wrong;
    const auto document = json::parse(text, wrong);
    const auto bad = [] { return base::fail(base::Code::malformed, "scope state", "cannot be read"); };
    if (wrong || !document.is_object()) return bad();
    const auto& object = document.as_object();
    const auto member = [&](std::string_view name) -> std::string {
        const auto* value = object.if_contains(name);
        return value && value->is_string() ? std::string(value->as_string()) : std::string();
    };
    State state{{member("hub"), member("device")}, 0, std::nullopt};
    if (const auto* version = object.if_contains("version")) {
        state.version = version->to_number<std::uint64_t>(wrong);
        if (wrong) return bad();
    }
    if (const auto* confirmed = object.if_contains("confirmed")) {
        state.confirmed = base::Instant(std::chrono::seconds(confirmed->to_number<std::int64_t>(wrong)));
        if (wrong) return bad();
    }
    return state;
}

base::Status put(store::Database& database, const base::SecretBytes& key, const std::string& row,
                 std::string_view plain) {
    SP_TRY(return, const auto sealed, seal(key, row, plain));
    auto statement = database.statement("INSERT OR REPLACE INTO record (id, sealed) VALUES (?, ?)");
    statement.bind(1, std::string_view(row)).bind(2, std::span<const std::byte>(sealed));
    SP_TRY(return, [[maybe_unused]] const int changed, statement.run());
    return {};
}

base::Status remove(store::Database& database, const std::string& row) {
    auto statement = database.statement("DELETE FROM record WHERE id = ?");
    statement.bind(1, std::string_view(row));
    SP_TRY(return, [[maybe_unused]] const int changed, statement.run());
    return {};
}

base::Status clear(store::Database& database) {
    auto statement = database.statement("DELETE FROM record");
    SP_TRY(return, [[maybe_unused]] const int changed, statement.run());
    return {};
}

base::Status write_certificates(store::Database& database, const base::SecretBytes& key,
                                const ScopeCache* before, const ScopeCache& after) {
    if (before && &before->certificates() == &after.certificates()) return {};
    if (before) {
        for (const auto& ca : before->certificates()) {
            if (auto done = remove(database, row_of(ca)); !done) return done;
        }
    }
    for (const auto& ca : after.certificates()) {
        if (auto done = put(database, key, row_of(ca), base::as_text(ca.certificate.der())); !done)
            return done;
    }
    return {};
}

base::Status write_difference(store::Database& database, const base::SecretBytes& key,
                              const ScopeOwner& owner, const ScopeCache* before, const ScopeCache& after) {
    if (!before) {
        if (auto done = clear(database); !done) return done;
    } else if (&before->records() != &after.records()) {
        for (const auto& [identity, record] : before->records()) {
            if (after.records().contains(identity)) continue;
            if (auto done = remove(database, row_of(identity)); !done) return done;
        }
    }
    if (!before || &before->records() != &after.records()) {
        for (const auto& [identity, record] : after.records()) {
            if (before && before->find(identity) == record) continue;
            if (auto done = put(database, key, row_of(identity), to_text(*record)); !done) return done;
        }
    }
    if (auto done = write_certificates(database, key, before, after); !done) return done;
    return put(database, key, std::string(state_row), state_text(owner, after));
}

base::Status put_wrapped(store::Database& database, const WrappedKey& wrapped) {
    auto statement =
        database.statement("INSERT OR REPLACE INTO data_key (id, vector, ciphertext) VALUES (1, ?, ?)");
    statement.bind(1, std::span<const std::byte>(wrapped.vector));
    statement.bind(2, std::span<const std::byte>(wrapped.ciphertext));
    SP_TRY(return, [[maybe_unused]] const int changed, statement.run());
    return {};
}

}  // namespace

struct ScopeStore::Impl {
    std::filesystem::path file;
    std::unique_ptr<store::Database> database;  ///< for reads and reset, on the loop
    std::shared_ptr<const base::SecretBytes> key;
    std::shared_ptr<std::atomic<bool>> incomplete = std::make_shared<std::atomic<bool>>(false);
    std::unique_ptr<store::Writer> writer;
};

ScopeStore::ScopeStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScopeStore::~ScopeStore() = default;

base::Result<std::unique_ptr<ScopeStore>> ScopeStore::open(const std::filesystem::path& file) {
    auto impl = std::make_unique<Impl>();
    impl->file = file;
    SP_TRY(return, impl->database,
                 store::Database::open(file, store::Database::Access::read_write, migrations));
    SP_TRY(return, auto second, store::Database::open(file, store::Database::Access::read_write, migrations));
    impl->writer = std::make_unique<store::Writer>(std::move(second));
    return std::unique_ptr<ScopeStore>(new ScopeStore(std::move(impl)));
}

base::Result<std::optional<WrappedKey>> ScopeStore::wrapped_key() {
    auto statement = impl_->database->statement("SELECT vector, ciphertext FROM data_key WHERE id = 1");
    SP_TRY(return, const bool there, statement.step());
    if (!there) return std::nullopt;
    return WrappedKey{statement.blob(0), statement.blob(1)};
}

base::Status ScopeStore::rewrap(const WrappedKey& wrapped) {
    return put_wrapped(*impl_->database, wrapped);
}

std::shared_ptr<const base::SecretBytes> ScopeStore::data_key() const {
    return impl_->key;
}

base::Status ScopeStore::reset(const WrappedKey& wrapped, base::SecretBytes data_key) {
    auto& database = *impl_->database;
    auto done = database.transaction([&]() -> base::Status {
        if (auto cleared = clear(database); !cleared) return cleared;
        return put_wrapped(database, wrapped);
    });
    if (done) unlock(std::move(data_key));
    return done;
}

void ScopeStore::unlock(base::SecretBytes data_key) {
    impl_->key = std::make_shared<const base::SecretBytes>(std::move(data_key));
}

base::Result<std::shared_ptr<const ScopeCache>> ScopeStore::load(const ScopeOwner& owner,
                                                                 std::size_t* rejected) {
    std::vector<trust::Record> records;
    std::vector<VerifiedCa> certificates;
    std::optional<State> state;
    auto rows = impl_->database->statement("SELECT id, sealed FROM record");
    while (true) {
        SP_TRY(return, const bool more, rows.step());
        if (!more) break;
        const auto row = rows.text(0);
        const auto plain = unseal(*impl_->key, row, rows.blob(1));
        bool good = plain.has_value();
        if (good && row == state_row) {
            auto read = read_state(plain->text());
            good = read.has_value();
            if (good) state = std::move(*read);
        } else if (good && row.starts_with("ca/")) {
            auto read = pki::Certificate::from_der(plain->bytes());
            good = read.has_value();
            if (good) certificates.push_back({row.substr(3), std::move(*read)});
        } else if (good && row.starts_with("module/")) {
            auto read = azure::read_module(plain->text());
            good = read.has_value();
            if (good) records.push_back(std::move(read->record));
        } else if (good) {
            auto read = azure::read_device(plain->text());
            good = read.has_value();
            if (good) records.push_back(std::move(read->record));
        }
        if (!good && rejected) ++*rejected;
    }
    if (!state || !(state->owner == owner)) return std::shared_ptr<const ScopeCache>();
    auto cache =
        ScopeCache::empty(owner.device)->with_all(records)->with_certificates(std::move(certificates));
    if (state->confirmed) cache = cache->confirmed_at(*state->confirmed, state->version);
    return cache;
}

void ScopeStore::save(const ScopeOwner& owner, std::shared_ptr<const ScopeCache> before,
                      std::shared_ptr<const ScopeCache> after) {
    if (impl_->incomplete->exchange(false)) before = nullptr;
    const auto key = impl_->key;
    const auto incomplete = impl_->incomplete;
    impl_->writer->submit(
        [key, owner, before, after](store::Database& database) {
            return write_difference(database, *key, owner, before.get(), *after);
        },
        [incomplete](base::Status done) {
            if (done) return;
            incomplete->store(true);
            base::log::error(base::events::scope_failed, done.error(), {{"doing", "saving the scope"}});
        });
}

}  // namespace gateway
