// SPDX-License-Identifier: Apache-2.0
#include "edge/certificate_store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.hpp"
#include "base/result.hpp"

namespace edge {
namespace {

// Lists may name lists; a circle ends here.
constexpr int deepest_list = 8;

std::unexpected<base::Error> absent() {
    return base::fail(base::Code::not_found, "parameter \"id\" has an invalid value", "not found");
}

}  // namespace

base::Result<CertificateStore> CertificateStore::open(std::filesystem::path home, Preloaded preloaded) {
    if (auto made = base::make_private_directories(home / "certs"); !made)
        return std::unexpected(made.error());
    return CertificateStore(std::move(home), std::move(preloaded));
}

base::Result<std::filesystem::path> CertificateStore::path(std::string_view id) const {
    const auto found = preloaded_.find(std::string(id));
    if (found == preloaded_.end()) return home_ / "certs" / (file_stem(id) + ".cer");
    if (const auto* uri = std::get_if<Uri>(&found->second)) return file_of_uri(*uri);
    return base::fail(base::Code::internal, fmt::format("certificate id {}", id), "is a list of other ids",
                      "write to one of those");
}

base::Result<std::string> CertificateStore::read(std::string_view id) const {
    return read_within(id, 0);
}

base::Result<std::string> CertificateStore::read_within(std::string_view id, int depth) const {
    const auto found = preloaded_.find(std::string(id));
    if (found != preloaded_.end() && std::holds_alternative<std::vector<std::string>>(found->second)) {
        if (depth == deepest_list)
            return base::fail(base::Code::internal, fmt::format("certificate id {}", id),
                              "is a list that contains itself");
        std::string joined;
        for (const auto& each : std::get<std::vector<std::string>>(found->second)) {
            auto part = read_within(each, depth + 1);
            if (!part && part.error().code != base::Code::not_found) return part;
            if (!part) continue;
            joined += *part;
            if (!joined.ends_with('\n')) joined += '\n';
        }
        if (joined.empty()) return absent();
        return joined;
    }
    SP_TRY(return, const auto file, path(id));
    auto text = base::read_file(file, "certificate");
    if (!text && text.error().code == base::Code::not_found) return absent();
    return text;
}

base::Status CertificateStore::write(std::string_view id, std::string_view pem) {
    SP_TRY(return, const auto file, path(id));
    return base::write_atomically(file, pem, base::public_mode);
}

base::Status CertificateStore::remove(std::string_view id) {
    SP_TRY(return, const auto file, path(id));
    if (::unlink(file.c_str()) != 0 && errno != ENOENT)
        return base::fail_errno(errno, "certificate " + file.string(), "removed");
    return {};
}

}  // namespace edge
