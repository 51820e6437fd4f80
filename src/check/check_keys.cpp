// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/file.hpp"
#include "base/result.hpp"
#include "check/check.hpp"
#include "check/judge_certificate.hpp"
#include "edge/keys_client.hpp"

namespace check {
namespace {

constexpr const char* put_key_there = "put the key there, or name another in config.toml";

bool is_absent(const base::Error& error) {
    return error.code == base::Code::not_found;
}

/// Those of config.toml, and whatever else lies in the keys service's directory.
std::vector<std::filesystem::path> key_files(const Device& device) {
    std::vector<std::filesystem::path> files;
    for (const auto& key : device.keys)
        if (const auto file = key.file()) files.push_back(*file);
    std::error_code none;
    for (const auto& each :
         std::filesystem::directory_iterator(device.paths.home(edge::Service::keys) / "keys", none))
        if (each.path().extension() == ".key") files.push_back(each.path());
    std::ranges::sort(files);
    const auto twice = std::ranges::unique(files);
    files.erase(twice.begin(), twice.end());
    return files;
}

Finding permissions(const Device& device) {
    const auto reader = device.user_of(edge::Service::keys);
    const auto owner = reader ? std::optional(reader->uid) : std::nullopt;
    std::vector<Finding> all;
    for (const auto& file : key_files(device)) {
        std::error_code why;
        const auto real = std::filesystem::canonical(file, why);
        const auto entry = look_at(why ? file : real);
        if (entry)
            all.push_back(judge_key_mode(*entry, owner));
        else if (!is_absent(entry.error()))
            all.push_back(failed(entry.error(), put_key_there));
    }
    if (all.empty()) return ignored("there are no key files");
    return worst(all, fmt::format("{} key files, each its owner's alone", all.size()));
}

Finding read_key(const Device& device, const HeldKey& key) {
    const auto file = key.file();
    if (!file) return ok("");
    if (const auto there = look_at(*file); !there) {
        if (is_absent(there.error()) && key.made) return ok("");
        return failed(there.error(), put_key_there);
    }
    std::vector<Finding> all;
    if (const auto reader = device.user_of(edge::Service::keys))
        all.push_back(judge_readable(key.thing, *file, *reader));
    if (key.kind == HeldKey::Kind::pair) {
        // A preloaded key may be symmetric, which is any octets.
        const auto pair = read_pair(key);
        if (pair)
            all.push_back(judge_key(key.thing, pair->public_key()));
        else if (pair.error().code == base::Code::permission_denied || device.certificate(key.id))
            all.push_back(failed(pair.error(), put_key_there));
    }
    return worst(all, "");
}

net::Task<Finding> through_service(const Device& device, const HeldKey& key) {
    const edge::KeysClient keys(device.paths.socket(edge::Service::keys).string(), device.clock);
    const auto* held = device.certificate(key.id);
    if (key.made && (!key.file() || !look_at(*key.file()))) co_return ok("");
    const bool pair = key.kind == HeldKey::Kind::pair && held;
    auto handle = base::Result<std::string>();
    if (pair)
        handle = co_await keys.load_pair(key.id);
    else
        handle = co_await keys.load_key(key.id);
    if (!handle) {
        if (handle.error().code == base::Code::unauthenticated)
            co_return unknown(fmt::format("the keys service does not show the {} to this user", key.thing),
                              "run sallyport check as root");
        co_return failed(handle.error(), "see the keys service's log");
    }
    if (!pair || key.file() || !held->chain) co_return ok("");
    auto opened = co_await keys.private_key(*handle);
    if (!opened) co_return failed(opened.error(), "see the keys service's log");
    const auto& leaf = held->chain->front();
    const std::vector<Finding> both{judge_key(key.thing, opened->public_key()),
                                    judge_pair(held->thing, leaf, opened->public_key())};
    co_return worst(both, "");
}

net::Task<Finding> pairs_read(Device& device) {
    std::vector<Finding> all;
    for (const auto& key : device.keys) all.push_back(read_key(device, key));
    const auto socket = look_at(device.paths.socket(edge::Service::keys));
    // keyd-running tells where it is not there.
    if (socket)
        for (const auto& key : device.keys) {
            // Preloaded ids without a certificate are for principals of their own.
            if (key.id != "device-id" && !device.certificate(key.id)) continue;
            auto finding = co_await through_service(device, key);
            all.push_back(std::move(finding));
        }
    if (all.empty()) co_return ignored("there are no keys");
    co_return worst(all, fmt::format("{} keys can be read and are strong", device.keys.size()));
}

}  // namespace

std::span<const Check> key_checks() {
    constexpr const char* group = "keys";
    static constexpr std::array table{
        Check{"private-key-permissions", group, "private keys can be read by their owner alone",
              Check::Needs::configuration, permissions},
        Check{"key-pairs-read", group, "the keys service can read its keys, and they are strong",
              Check::Needs::configuration, pairs_read},
    };
    return table;
}

}  // namespace check
