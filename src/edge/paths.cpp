// SPDX-License-Identifier: Apache-2.0
#include "edge/paths.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "pki/digest.hpp"

namespace edge {
namespace {

struct Names {
    Service service;
    std::string_view word;
    std::string_view daemon;
    std::string_view user;
};
constexpr std::array<Names, 4> names{{
    {Service::keys, "keys", "keyd", "aziotks"},
    {Service::certificates, "certificates", "certd", "aziotcs"},
    {Service::identity, "identity", "identityd", "aziotid"},
    {Service::workload, "workload", "edged", "iotedge"},
}};

const Names& of(Service service) {
    return names[static_cast<std::size_t>(service)];
}

}  // namespace

std::string_view to_string(Service service) {
    return of(service).word;
}
std::string_view daemon_name(Service service) {
    return of(service).daemon;
}
std::string_view user_name(Service service) {
    return of(service).user;
}

std::optional<Service> parse_service(std::string_view text) {
    for (const auto& each : names)
        if (each.word == text) return each.service;
    return std::nullopt;
}

std::filesystem::path Paths::service_file(Service service) const {
    return service_etc(service) / "config.d" / "00-super.toml";
}

std::filesystem::path Paths::socket(Service service) const {
    return run() / fmt::format("{}.sock", daemon_name(service));
}

std::string file_stem(std::string_view id) {
    std::string plain;
    for (const char c : id)
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) plain += c;
    // A file name ends at 255 bytes; the digest alone already tells ids apart.
    plain.resize(std::min<std::size_t>(plain.size(), 180));
    return fmt::format("{}-{}", plain, base::to_hex(pki::sha256(base::as_bytes(id))));
}

std::string_view bare_module(std::string_view module) {
    return module.starts_with('$') ? module.substr(1) : module;
}

std::string module_identity_certificate(std::string_view module) {
    return fmt::format("aziot-edged/module/{}:identity", module);
}

std::filesystem::path module_socket(const std::filesystem::path& edged_home, std::string_view module) {
    return edged_home / "mnt" / fmt::format("{}.sock", bare_module(module));
}

base::Result<std::filesystem::path> file_of_uri(std::string_view uri) {
    std::string_view path = uri;
    if (path.starts_with("file://"))
        path.remove_prefix(7);
    else if (path.starts_with("file:"))
        path.remove_prefix(5);
    else
        path = {};
    const auto decoded = base::percent_decode(path);
    if (!decoded || !decoded->starts_with('/'))
        return base::fail(base::Code::invalid_argument, fmt::format("URI {}", uri), "does not name a file",
                          "write it as file:///absolute/path");
    return std::filesystem::path(*decoded);
}

}  // namespace edge
