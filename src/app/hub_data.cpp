// SPDX-License-Identifier: Apache-2.0
#include "app/hub_data.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/result.hpp"

namespace app {

namespace {

base::Status check_owner(const std::filesystem::path& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0)
        return base::fail_errno(errno, "registry " + file.string(), "looked at");
    if (::geteuid() == 0 || ::geteuid() == status.st_uid) return {};
    return base::fail(base::Code::permission_denied, "registry " + file.string(), "belongs to another user",
                      "run it as the hub's user or as root");
}

}  // namespace

base::Result<hub::Config> open_hub_data(const HubData& where) {
    SP_TRY(return, auto config, hub::read_config(where.data, where.config, {}));
    if (auto fine = check_owner(config.registry_file()); !fine) return std::unexpected(fine.error());
    return config;
}

}  // namespace app
