// SPDX-License-Identifier: Apache-2.0
#include "gateway/unlock.hpp"

#include <utility>

#include "base/events.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "gateway/hub_link.hpp"
#include "net/timer.hpp"
#include "pki/digest.hpp"

namespace gateway {

namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t vector_size = 16;

bool is_final(const base::Error& error) {
    return error.code == base::Code::invalid_argument || error.code == base::Code::malformed;
}

net::Task<base::Result<WrappedKey>> wrap(WorkloadClient& workload, base::SecretBytes key) {
    WrappedKey wrapped;
    wrapped.vector = pki::random_bytes(vector_size);
    SP_TRY(co_return, wrapped.ciphertext, co_await workload.encrypt(std::move(key), wrapped.vector));
    co_return wrapped;
}

net::Task<base::Status> make_key(ScopeStore& store, WorkloadClient& workload) {
    auto key = pki::random_secret(key_size);
    SP_TRY(co_return, const auto wrapped, co_await wrap(workload, key.clone()));
    co_return store.reset(wrapped, std::move(key));
}

net::Task<base::Status> open_key(ScopeStore& store, WorkloadClient& workload) {
    auto wrapped = store.wrapped_key();
    if (!wrapped) co_return std::unexpected(std::move(wrapped).error());
    if (!*wrapped) {
        auto made = co_await make_key(store, workload);
        co_return made;
    }
    auto key = co_await workload.decrypt((*wrapped)->ciphertext, (*wrapped)->vector);
    if (key && key->size() == key_size) {
        store.unlock(std::move(*key));
        co_return base::Status{};
    }
    if (!key && !is_final(key.error())) co_return std::unexpected(std::move(key).error());
    base::log::warning(
        base::events::scope_discarded,
        {{"reason", "the keys service does not open the data key of the stored scope any more"},
         {"fix", "nothing to do: it is fetched again from the hub"}});
    auto made = co_await make_key(store, workload);
    co_return made;
}

}  // namespace

net::Task<base::Status> rewrap_scope(ScopeStore& store, WorkloadClient& workload) {
    SP_TRY(co_return, const auto wrapped, co_await wrap(workload, store.data_key()->clone()));
    co_return store.rewrap(wrapped);
}

net::Task<std::shared_ptr<const ScopeCache>> unlock_scope(ScopeStore& store, WorkloadClient& workload,
                                                          ScopeOwner owner) {
    for (int attempt = 1;; ++attempt) {
        auto opened = co_await open_key(store, workload);
        if (opened) break;
        if (opened.error().code == base::Code::cancelled) co_return nullptr;
        base::log::write(base::log::Level::warning, base::events::workload_unreachable, opened.error(),
                         {{"waiting_for", "the key of the stored scope"}});
        const bool slept = co_await net::sleep_for(backoff(attempt));
        if (!slept) co_return nullptr;
    }
    std::size_t rejected = 0;
    auto loaded = store.load(owner, &rejected);
    if (!loaded) {
        base::log::error(base::events::scope_failed, loaded.error(), {{"doing", "reading the stored scope"}});
        co_return ScopeCache::empty(owner.device);
    }
    if (rejected > 0) {
        base::log::warning(base::events::scope_discarded, {{"records", std::to_string(rejected)},
                                                           {"reason", "they do not open: damaged or moved"}});
    }
    if (!*loaded) co_return ScopeCache::empty(owner.device);
    base::log::info(
        base::events::scope_loaded,
        {{"records", std::to_string((*loaded)->records().size())},
         {"version", std::to_string((*loaded)->version())},
         {"confirmed", (*loaded)->confirmed() ? base::format_rfc3339(*(*loaded)->confirmed()) : "never"}});
    co_return std::move(*loaded);
}

}  // namespace gateway
