// SPDX-License-Identifier: Apache-2.0
#include "edge/identity_state.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <cerrno>

#include "base/config.hpp"
#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "edge/json.hpp"
#include "edge/kept_files.hpp"
#include "edge/paths.hpp"
#include "edge/toml_text.hpp"
#include "pki/digest.hpp"

namespace edge {
namespace {

std::string digest_of(std::string_view text) {
    return base::to_hex(pki::sha256(base::as_bytes(text)));
}

// False also where the file is damaged: the backups then cannot be told to be this device's.
bool is_of(const std::filesystem::path& file, std::string_view hub, std::string_view device) {
    auto table = base::ConfigTable::read(file);
    return table && table->string("hub_name") == hub && table->string("device_id") == device;
}

base::Result<ModuleRecord> read_record(const std::filesystem::path& file) {
    SP_TRY(return, const auto text, base::read_file(file, "module backup"));
    SP_TRY(return, const auto document, parse_json(text, "module backup " + file.string()));
    ModuleRecord record;
    SP_TRY(return, record.id, text_member(document, "moduleId"));
    SP_TRY(return, auto managed_by, optional_text_member(document, "managedBy"));
    SP_TRY(return, auto generation, optional_text_member(document, "generationId"));
    record.managed_by = managed_by.value_or("");
    record.generation = generation.value_or("");
    return record;
}

}  // namespace

base::Result<IdentityState> IdentityState::open(std::filesystem::path home, std::string hub,
                                                std::string gateway, std::string device) {
    const auto info = home / "device_info";
    const auto all = home / "modules";
    std::error_code why;
    if (std::filesystem::exists(info, why) && !is_of(info, hub, device)) {
        std::filesystem::remove_all(all, why);
        if (why)
            return base::fail(base::Code::io, "directory " + all.string(),
                              "could not be removed: " + why.message());
    }
    const auto directory = all / fmt::format("{}-{}", digest_of(hub), digest_of(device));
    if (auto made = base::make_private_directories(directory); !made) return std::unexpected(made.error());
    for (const auto& each : {home, directory})
        if (auto cleared = remove_leftovers(each); !cleared) return std::unexpected(cleared.error());
    TomlText text;
    text.set("hub_name", hub).set("local_gateway_hostname", gateway).set("device_id", device);
    if (auto written = base::write_atomically(info, text.text(), base::secret_mode); !written)
        return std::unexpected(written.error());
    IdentityState state(directory, std::move(device));
    state.load();
    return state;
}

void IdentityState::load() {
    std::error_code why;
    for (const auto& entry : std::filesystem::directory_iterator(directory_, why)) {
        if (entry.path().filename().string().starts_with('.')) continue;
        auto record = read_record(entry.path());
        if (record) {
            const auto id = record->id;
            modules_[id] = *std::move(record);
        } else {
            base::log::write(base::log::Level::warning, base::events::backup_ignored, record.error());
        }
    }
}

const ModuleRecord* IdentityState::find(const std::string& module) const {
    const auto found = modules_.find(module);
    return found == modules_.end() ? nullptr : &found->second;
}

base::Status IdentityState::save(ModuleRecord record) {
    json::object document{
        {"moduleId", record.id}, {"deviceId", device_}, {"generationId", record.generation}};
    if (!record.managed_by.empty()) document["managedBy"] = record.managed_by;
    const auto written = base::write_atomically(directory_ / file_stem(record.id), json::serialize(document),
                                                base::secret_mode);
    if (!written) return written;
    const auto id = record.id;
    modules_[id] = std::move(record);
    return {};
}

base::Status IdentityState::remove(const std::string& module) {
    const auto file = directory_ / file_stem(module);
    if (::unlink(file.c_str()) != 0 && errno != ENOENT)
        return base::fail_errno(errno, "module backup " + file.string(), "removed");
    modules_.erase(module);
    return {};
}

}  // namespace edge
