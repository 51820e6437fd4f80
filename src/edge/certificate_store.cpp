// SPDX-License-Identifier: Apache-2.0
#include "edge/certificate_store.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/result.hpp"
#include "edge/kept_files.hpp"
#include "edge/local_api.hpp"

namespace edge {
namespace {

// Lists may name lists; a circle ends here.
constexpr int deepest_list = 8;
constexpr std::size_t most_parsed_certificates = 64;

}  // namespace

base::Result<CertificateStore> CertificateStore::open(std::filesystem::path home, Preloaded preloaded) {
    const auto certs = home / "certs";
    if (auto made = base::make_private_directories(certs); !made) return std::unexpected(made.error());
    if (auto cleared = remove_leftovers(certs); !cleared) return std::unexpected(cleared.error());
    CertificateStore store(std::move(home), std::move(preloaded));
    if (auto repaired = store.repair(); !repaired) return std::unexpected(repaired.error());
    return store;
}

bool CertificateStore::is_given(const std::filesystem::path& file) const {
    for (const auto& [id, place] : preloaded_)
        if (const auto* uri = std::get_if<Uri>(&place))
            if (file_of_uri(*uri) == file) return true;
    return false;
}

base::Status CertificateStore::repair() {
    std::error_code why;
    std::map<std::filesystem::path, std::string> damaged;
    for (const auto& entry : std::filesystem::directory_iterator(home_ / "certs", why)) {
        const auto& file = entry.path();
        if (file.extension() != ".cer" || is_given(file)) continue;
        const auto text = base::read_file(file, "certificate");
        // What cannot be read now may be readable later; only what was read and is none is damaged.
        if (!text) continue;
        if (auto chain = pki::certificates_from_pem(*text, "the file"); !chain)
            damaged[file] = chain.error().text();
    }
    for (const auto& [file, reason] : damaged)
        if (auto moved = set_aside(file, reason); !moved) return moved;
    return {};
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

base::Result<std::string> CertificateStore::read_list(const std::vector<std::string>& ids, int depth) const {
    std::string joined;
    for (const auto& each : ids) {
        auto part = read_within(each, depth + 1);
        if (!part && part.error().code != base::Code::not_found) return part;
        if (!part) continue;
        joined += *part;
        if (!joined.ends_with('\n')) joined += '\n';
    }
    if (joined.empty()) return absent_id();
    return joined;
}

const std::vector<std::string>* CertificateStore::list(std::string_view id) const {
    const auto found = preloaded_.find(std::string(id));
    return found == preloaded_.end() ? nullptr : std::get_if<std::vector<std::string>>(&found->second);
}

base::Result<std::string> CertificateStore::read_within(std::string_view id, int depth) const {
    if (const auto* ids = list(id)) {
        if (depth == deepest_list)
            return base::fail(base::Code::internal, fmt::format("certificate id {}", id),
                              "is a list that contains itself");
        return read_list(*ids, depth);
    }
    SP_TRY(return, auto parsed, read_one(id));
    return std::move(parsed.text);
}

base::Result<CertificateStore::Parsed> CertificateStore::read_one(std::string_view id) const {
    SP_TRY(return, const auto file, path(id));
    base::Result<std::string> text = std::string();
    if (auto pending = later_->pending(file))
        text = *std::move(pending);
    else
        text = base::read_file(file, "certificate");
    if (!text && text.error().code == base::Code::not_found) return absent_id();
    if (!text) return std::unexpected(text.error());
    if (const auto known = parsed_.find(file); known != parsed_.end() && known->second.text == *text)
        return known->second;
    // Reading is open to everybody at the socket, and a file that we were given may hold a key as well.
    auto chain = pki::certificates_from_pem(*text, "certificate " + file.string());
    if (!chain)
        return base::fail(base::Code::io, chain.error().thing, chain.error().reason,
                          "put it back from a backup, or remove it and let it be made again");
    if (parsed_.size() >= most_parsed_certificates) parsed_.clear();
    Parsed parsed{*std::move(text), *std::move(chain)};
    parsed_[file] = parsed;
    return parsed;
}

base::Result<pki::Chain> CertificateStore::chain(std::string_view id) const {
    if (list(id)) {
        SP_TRY(return, const auto text, read(id));
        return pki::certificates_from_pem(text, fmt::format("certificate {}", id));
    }
    SP_TRY(return, auto parsed, read_one(id));
    return std::move(parsed.chain);
}

base::Status CertificateStore::write(std::string_view id, const pki::Chain& chain) {
    SP_TRY(return, const auto file, path(id));
    later_->forget(file);
    return base::write_atomically(file, pki::to_pem(chain), base::public_mode);
}

base::Status CertificateStore::write_later(std::string_view id, const pki::Chain& chain) {
    SP_TRY(return, const auto file, path(id));
    later_->write(file, pki::to_pem(chain));
    return {};
}

base::Status CertificateStore::remove(std::string_view id) {
    SP_TRY(return, const auto file, path(id));
    later_->forget(file);
    return remove_durably(file, "certificate");
}

}  // namespace edge
