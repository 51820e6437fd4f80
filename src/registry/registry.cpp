// SPDX-License-Identifier: Apache-2.0
#include "registry/registry.hpp"

#include <future>
#include <mutex>

#include "base/result.hpp"
#include "registry/reader_impl.hpp"
#include "registry/schema.hpp"
#include "registry/writing.hpp"
#include "store/writer.hpp"

namespace registry {

struct Registry::Impl {
    Impl(std::filesystem::path where, const base::Clock& time, std::unique_ptr<store::Database> database)
        : file(std::move(where)), clock(time), writer(std::move(database)) {}

    /// Queues `work`; after the commit its changes go to the observers, then its result to `done`.
    template <class T>
    void write(std::function<base::Result<T>(Writing&)> work, Done<T> done);
    /// The same, waiting for the commit.
    template <class T>
    base::Result<T> write_now(std::function<base::Result<T>(Writing&)> work);
    template <class T>
    void tell(const std::vector<T>& changes, const std::vector<std::function<void(const T&)>>& observers);

    std::filesystem::path file;
    const base::Clock& clock;
    std::mutex mutex;  ///< of the observers
    std::vector<std::function<void(const Change&)>> observers;
    std::vector<std::function<void(const TwinChange&)>> twin_observers;
    store::Writer writer;  ///< last, so that its thread ends before what it uses
};

template <class T>
void Registry::Impl::write(std::function<base::Result<T>(Writing&)> work, Done<T> done) {
    struct Outcome {
        std::optional<T> value;
        std::vector<Change> changes;
        std::vector<TwinChange> twin_changes;
    };
    auto outcome = std::make_shared<Outcome>();
    writer.submit(
        [this, outcome, work = std::move(work)](store::Database& database) -> base::Status {
            Writing writing{database, clock.now_ms(), outcome->changes, outcome->twin_changes};
            auto result = work(writing);
            if (!result) return std::unexpected(std::move(result).error());
            outcome->value.emplace(*std::move(result));
            return {};
        },
        [this, outcome, done = std::move(done)](base::Status status) {
            if (!status) return done(std::unexpected(std::move(status).error()));
            tell(outcome->changes, observers);
            tell(outcome->twin_changes, twin_observers);
            done(*std::move(outcome->value));
        });
}

template <class T>
void Registry::Impl::tell(const std::vector<T>& changes,
                          const std::vector<std::function<void(const T&)>>& observers_of_it) {
    if (changes.empty()) return;
    std::vector<std::function<void(const T&)>> listeners;
    {
        const std::lock_guard lock(mutex);
        listeners = observers_of_it;
    }
    for (const auto& change : changes)
        for (const auto& listener : listeners) listener(change);
}

Registry::Registry(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Registry::~Registry() = default;

base::Result<std::unique_ptr<Registry>> Registry::open(const std::filesystem::path& file,
                                                       const base::Clock& clock) {
    SP_TRY(return, auto database,
                 store::Database::open(file, store::Database::Access::read_write, migrations()));
    return std::unique_ptr<Registry>(new Registry(std::make_unique<Impl>(file, clock, std::move(database))));
}

base::Result<std::unique_ptr<Reader>> Reader::open(const std::filesystem::path& file) {
    SP_TRY(return, auto database,
                 store::Database::open(file, store::Database::Access::read_only, migrations()));
    return std::unique_ptr<Reader>(
        new Reader(std::make_unique<Reader::Impl>(Reader::Impl{std::move(database)})));
}

base::Result<std::unique_ptr<Reader>> Registry::reader() const {
    return Reader::open(impl_->file);
}

void Registry::create_device(azure::DeviceWish wish, Done<azure::Device> done) {
    impl_->write<azure::Device>(
        [wish = std::move(wish)](Writing& writing) { return registry::create_device(writing, wish); },
        std::move(done));
}

void Registry::replace_device(azure::DeviceWish wish, IfMatch match, Done<azure::Device> done) {
    impl_->write<azure::Device>(
        [wish = std::move(wish), match = std::move(match)](Writing& writing) {
            return registry::replace_device(writing, wish, match);
        },
        std::move(done));
}

void Registry::delete_device(std::string id, IfMatch match, Done<bool> done) {
    impl_->write<bool>([id = std::move(id), match = std::move(match)](
                           Writing& writing) { return registry::delete_device(writing, id, match); },
                       std::move(done));
}

void Registry::create_module(azure::ModuleWish wish, Done<azure::Module> done) {
    impl_->write<azure::Module>(
        [wish = std::move(wish)](Writing& writing) { return registry::create_module(writing, wish); },
        std::move(done));
}

void Registry::replace_module(azure::ModuleWish wish, IfMatch match, Done<azure::Module> done) {
    impl_->write<azure::Module>(
        [wish = std::move(wish), match = std::move(match)](Writing& writing) {
            return registry::replace_module(writing, wish, match);
        },
        std::move(done));
}

void Registry::delete_module(trust::Identity id, IfMatch match, Done<bool> done) {
    impl_->write<bool>([id = std::move(id), match = std::move(match)](
                           Writing& writing) { return registry::delete_module(writing, id, match); },
                       std::move(done));
}

void Registry::update_twin(trust::Identity id, azure::TwinWish wish, azure::TwinWrite how, IfMatch match,
                           Done<azure::Twin> done) {
    impl_->write<azure::Twin>(
        [id = std::move(id), wish = std::move(wish), how, match = std::move(match)](Writing& writing) {
            return registry::update_twin(writing, id, wish, how, match);
        },
        std::move(done));
}

void Registry::report(trust::Identity id, std::string generation, boost::json::object patch,
                      Done<std::int64_t> done) {
    impl_->write<std::int64_t>(
        [id = std::move(id), generation = std::move(generation), patch = std::move(patch)](Writing& writing) {
            return registry::report(writing, id, generation, patch);
        },
        std::move(done));
}

void Registry::note_model(trust::Identity id, std::string generation, std::string model, Done<bool> done) {
    impl_->write<bool>([id = std::move(id), generation = std::move(generation), model = std::move(model)](
                           Writing& writing) { return registry::note_model(writing, id, generation, model); },
                       std::move(done));
}

void Registry::put_ca_certificate(std::string name, pki::Certificate certificate, Proof proof, IfMatch match,
                                  Done<PutCa> done) {
    impl_->write<PutCa>(
        [name = std::move(name), certificate = std::move(certificate), proof,
         match = std::move(match)](Writing& writing) {
            return registry::put_ca_certificate(writing, name, certificate, proof, match);
        },
        std::move(done));
}

void Registry::delete_ca_certificate(std::string name, IfMatch match, Done<bool> done) {
    impl_->write<bool>(
        [name = std::move(name), match = std::move(match)](Writing& writing) {
            return registry::delete_ca_certificate(writing, name, match);
        },
        std::move(done));
}

void Registry::bulk(std::vector<azure::BulkItem> items, Done<azure::BulkResult> done) {
    impl_->write<azure::BulkResult>(
        [items = std::move(items)](Writing& writing) { return registry::write_bulk(writing, items); },
        std::move(done));
}

void Registry::apply_content(std::string device, std::vector<azure::DesiredContent> contents,
                             Done<bool> done) {
    impl_->write<bool>([device = std::move(device), contents = std::move(contents)](
                           Writing& writing) { return registry::apply_content(writing, device, contents); },
                       std::move(done));
}

void Registry::put_configuration(azure::Configuration wish, IfMatch match, Done<PutConfiguration> done) {
    impl_->write<PutConfiguration>(
        [wish = std::move(wish), match = std::move(match)](Writing& writing) {
            return registry::put_configuration(writing, wish, match);
        },
        std::move(done));
}

void Registry::delete_configuration(std::string id, IfMatch match, Done<bool> done) {
    impl_->write<bool>([id = std::move(id), match = std::move(match)](
                           Writing& writing) { return registry::delete_configuration(writing, id, match); },
                       std::move(done));
}

void Registry::make_verification_code(std::string name, IfMatch match, Done<CaCertificate> done) {
    impl_->write<CaCertificate>(
        [name = std::move(name), match = std::move(match)](Writing& writing) {
            return registry::make_verification_code(writing, name, match);
        },
        std::move(done));
}

void Registry::verify_ca_certificate(std::string name, pki::Certificate proof, IfMatch match,
                                     Done<CaCertificate> done) {
    impl_->write<CaCertificate>(
        [name = std::move(name), proof = std::move(proof), match = std::move(match)](Writing& writing) {
            return registry::verify_ca_certificate(writing, name, proof, match);
        },
        std::move(done));
}

template <class T>
base::Result<T> Registry::Impl::write_now(std::function<base::Result<T>(Writing&)> work) {
    std::promise<base::Result<T>> written;
    write<T>(std::move(work), [&written](base::Result<T> result) { written.set_value(std::move(result)); });
    return written.get_future().get();
}

base::Status Registry::make_policies() {
    const auto made = impl_->write_now<bool>([](Writing& writing) -> base::Result<bool> {
        if (auto fine = registry::make_policies(writing); !fine) return std::unexpected(fine.error());
        return true;
    });
    if (!made) return std::unexpected(made.error());
    return {};
}

base::Result<azure::BulkResult> Registry::bulk(std::vector<azure::BulkItem> items) {
    return impl_->write_now<azure::BulkResult>(
        [&](Writing& writing) { return registry::write_bulk(writing, items); });
}

base::Result<Policy> Registry::renew_policy_key(const std::string& name, KeyRenewal which) {
    return impl_->write_now<Policy>(
        [&](Writing& writing) { return registry::renew_policy_key(writing, name, which); });
}

void Registry::on_twin_change(std::function<void(const TwinChange&)> observer) {
    const std::lock_guard lock(impl_->mutex);
    impl_->twin_observers.push_back(std::move(observer));
}

void Registry::on_change(std::function<void(const Change&)> observer) {
    const std::lock_guard lock(impl_->mutex);
    impl_->observers.push_back(std::move(observer));
}

}  // namespace registry
