// SPDX-License-Identifier: Apache-2.0
#include "ca/new_ca.hpp"

#include <fmt/format.h>

#include <set>

#include "base/result.hpp"
#include "ca/config.hpp"

namespace ca {

NewFiles::~NewFiles() {
    std::error_code ignored;
    for (const auto& file : files_) std::filesystem::remove(file, ignored);
}

base::Status NewFiles::write(const Path& file, std::string_view text, mode_t mode) {
    files_.push_back(file);
    return base::write_atomically(file, text, mode);
}

base::Result<Link> make_link(const std::string& name, pki::Profile profile, std::optional<int> path_length,
                             pki::KeyType type, const Link* issuer, base::Instant now) {
    SP_TRY(return, auto key, pki::PrivateKey::generate(type));
    const pki::IssueInput body{
        .profile = profile, .key = key.public_key(), .common_name = name, .path_length = path_length};
    SP_TRY(return, auto certificate,
                 pki::issue(body, issuer ? &issuer->certificate : nullptr, issuer ? *issuer->key : key, now));
    return Link{name, std::move(certificate), std::move(key)};
}

base::Status add_intermediates(std::vector<Link>& links, std::span<const std::string> names,
                               pki::KeyType type, base::Instant now) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        const int below = static_cast<int>(names.size() - i);
        SP_TRY(return, auto link,
                     make_link(names[i], pki::Profile::intermediate, below, type, &links.back(), now));
        links.push_back(std::move(link));
    }
    return {};
}

base::Status write_ca(const std::filesystem::path& data, const std::vector<Link>& links) {
    NewFiles files;
    std::string full_chain;
    Config config{.root = links.front().name, .chain = {}, .profiles = {}};
    for (const auto& link : links) {
        if (link.key) {
            SP_TRY(return, const auto key, link.key->pem());
            if (auto done = files.write(key_file(data, link.name), key.text(), base::secret_mode); !done)
                return done;
        }
        const auto pem = link.certificate.pem();
        if (auto done = files.write(certificate_file(data, link.name), pem, base::public_mode); !done)
            return done;
        full_chain.insert(0, pem);
        if (&link != &links.front()) config.chain.push_back(link.name);
    }
    if (auto done = files.write(full_chain_file(data), full_chain, base::public_mode); !done) return done;
    // Last: what has no ca.toml is no CA.
    if (auto done = files.write(config_file(data), config_text(config), base::public_mode); !done)
        return done;
    files.keep();
    return {};
}

base::Status check_ca_names(const std::vector<std::string>& names) {
    std::set<std::string> seen;
    for (const auto& name : names) {
        if (auto fine = check_ca_name(name); !fine) return fine;
        if (!seen.insert(base::to_lower(name)).second)
            return base::fail(base::Code::invalid_argument, fmt::format("name {}", name), "is given twice",
                              "give each CA a name of its own");
    }
    return {};
}

base::Status check_no_ca(const std::filesystem::path& data, const std::vector<std::string>& names,
                         bool keys) {
    std::vector<Path> files{config_file(data), full_chain_file(data)};
    for (const auto& name : names) {
        files.push_back(certificate_file(data, name));
        if (keys) files.push_back(key_file(data, name));
    }
    for (const auto& file : files) {
        std::error_code ignored;
        if (std::filesystem::exists(std::filesystem::symlink_status(file, ignored)))
            return base::fail(base::Code::already_exists, fmt::format("file {}", file.string()),
                              "exists already",
                              "name another directory with --data; nothing is ever replaced");
    }
    return {};
}

}  // namespace ca
