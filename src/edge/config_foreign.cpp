// SPDX-License-Identifier: Apache-2.0
#include "edge/config_foreign.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "edge/config.hpp"

namespace edge {
namespace {

void take(base::ConfigTable& table, std::string_view key, std::vector<std::string>& seen) {
    const auto kind = table.kind(key);
    if (kind == base::ConfigTable::Kind::absent) return;
    if (kind == base::ConfigTable::Kind::table) take_whole(*table.table(key));
    seen.emplace_back(key);
}

}  // namespace

void take_whole(base::ConfigTable table) {
    for (const auto& key : table.keys()) {
        switch (table.kind(key)) {
            case base::ConfigTable::Kind::table:
                take_whole(*table.table(key));
                break;
            case base::ConfigTable::Kind::array:
                table.known(key);
                break;
            default:
                break;
        }
    }
}

void take_foreign_keys(base::ConfigTable& table, std::vector<std::string>& notices) {
    std::vector<std::string> containers;
    for (const auto* key :
         {"agent", "moby_runtime", "watchdog", "connect", "listen", "image_garbage_collection",
          "allow_elevated_docker_permissions", "additional_info"})
        take(table, key, containers);
    if (!containers.empty())
        notices.push_back(fmt::format("{}: known, without effect: this program manages no containers",
                                      fmt::join(containers, ", ")));
    std::vector<std::string> later;
    for (const auto* key : {"tpm", "localid", "imported_master_encryption_key", "auto_reprovisioning_mode",
                            "prefer_module_identity_cache", "metrics", "crl_urls", "crl_max_age"})
        take(table, key, later);
    if (!later.empty())
        notices.push_back(fmt::format("{}: known, without effect in this version", fmt::join(later, ", ")));
}

}  // namespace edge
