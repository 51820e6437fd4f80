// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <stdexcept>

#include "registry/registry.hpp"
#include "support/temporary_directory.hpp"

namespace registry_tests {

/// A clock that stands still until it is moved.
class StillClock : public base::Clock {
  public:
    base::Instant now() const override { return std::chrono::floor<std::chrono::seconds>(now_ms()); }
    std::chrono::sys_time<std::chrono::milliseconds> now_ms() const override { return when; }
    std::chrono::sys_time<std::chrono::milliseconds> when{std::chrono::milliseconds(1795600000123)};
};

/// A registry in a file of its own, with every write waited for.
class RegistryFile : public testing::Test {
  protected:
    RegistryFile() { open(); }

    void open() {
        reader.reset();
        registry.reset();
        registry = take(registry::Registry::open(directory / "hub.db", clock));
        reader = take(registry->reader());
    }

    template <class T>
    static T take(base::Result<T> result) {
        if (!result) throw std::runtime_error(result.error().text());
        return *std::move(result);
    }

    template <class T, class Call>
    static base::Result<T> wait(Call call) {
        std::promise<base::Result<T>> promise;
        call([&promise](base::Result<T> result) { promise.set_value(std::move(result)); });
        return promise.get_future().get();
    }

    base::Result<azure::Device> create(azure::DeviceWish wish) {
        return wait<azure::Device>([&](auto done) { registry->create_device(std::move(wish), done); });
    }
    base::Result<azure::Device> replace(azure::DeviceWish wish, registry::IfMatch match = any) {
        return wait<azure::Device>(
            [&](auto done) { registry->replace_device(std::move(wish), match, done); });
    }
    base::Result<bool> remove(const std::string& id, registry::IfMatch match = any) {
        return wait<bool>([&](auto done) { registry->delete_device(id, match, done); });
    }
    base::Result<azure::Module> create(azure::ModuleWish wish) {
        return wait<azure::Module>([&](auto done) { registry->create_module(std::move(wish), done); });
    }
    base::Result<azure::Module> replace(azure::ModuleWish wish, registry::IfMatch match = any) {
        return wait<azure::Module>(
            [&](auto done) { registry->replace_module(std::move(wish), match, done); });
    }
    base::Result<bool> remove(const trust::Identity& id, registry::IfMatch match = any) {
        return wait<bool>([&](auto done) { registry->delete_module(id, match, done); });
    }

    static azure::DeviceWish device(std::string id) {
        azure::DeviceWish wish;
        wish.device_id = std::move(id);
        return wish;
    }
    static azure::DeviceWish edge(std::string id, const std::string& parent_scope = {}) {
        auto wish = device(std::move(id));
        wish.edge_enabled = true;
        if (!parent_scope.empty()) wish.parent_scopes = {parent_scope};
        return wish;
    }
    static azure::DeviceWish child(std::string id, const std::string& scope) {
        auto wish = device(std::move(id));
        wish.device_scope = scope;
        return wish;
    }
    static azure::ModuleWish module(std::string device, std::string id) {
        azure::ModuleWish wish;
        wish.device_id = std::move(device);
        wish.module_id = std::move(id);
        return wish;
    }
    static trust::Authentication thumbprints(char digit) {
        trust::Authentication out;
        out.type = trust::AuthType::self_signed;
        out.primary_thumbprint = *trust::Thumbprint::parse(std::string(64, digit));
        return out;
    }

    static inline const registry::IfMatch any{registry::IfMatch::Kind::any, {}};

    support::TemporaryDirectory directory;
    StillClock clock;
    std::unique_ptr<registry::Registry> registry;
    std::unique_ptr<registry::Reader> reader;
};

/// The failure of a result, as the service answers it.
template <class T>
std::string_view refusal(const base::Result<T>& result) {
    return result ? "none" : azure::name(registry::azure_code(result.error()));
}

}  // namespace registry_tests
