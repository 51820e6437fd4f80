// SPDX-License-Identifier: Apache-2.0
#include "ca/init.hpp"

#include <fmt/format.h>

#include <set>

#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/config.hpp"
#include "ca/layout.hpp"
#include "pki/profile.hpp"

namespace ca {
namespace {

struct Link {
    std::string name;
    pki::Certificate certificate;
    pki::PrivateKey key;
};

/// Files that go again unless all of them were made.
class NewFiles {
  public:
    NewFiles() = default;
    NewFiles(const NewFiles&) = delete;
    NewFiles& operator=(const NewFiles&) = delete;
    ~NewFiles() {
        std::error_code ignored;
        for (const auto& file : files_) std::filesystem::remove(file, ignored);
    }
    base::Status write(const Path& file, std::string_view text, mode_t mode) {
        files_.push_back(file);
        return base::write_atomically(file, text, mode);
    }
    void keep() { files_.clear(); }

  private:
    std::vector<Path> files_;
};

std::vector<std::string> all_names(const InitInput& input) {
    std::vector<std::string> names{input.root};
    names.insert(names.end(), input.chain.begin(), input.chain.end());
    return names;
}

base::Status check_input(const InitInput& input) {
    std::set<std::string> seen;
    for (const auto& name : all_names(input)) {
        if (auto fine = check_ca_name(name); !fine) return fine;
        if (!seen.insert(base::to_lower(name)).second)
            return base::fail(base::Code::invalid_argument, fmt::format("name {}", name), "is given twice",
                              "give each CA a name of its own");
    }
    return {};
}

base::Status check_absent(const InitInput& input) {
    std::vector<Path> files{config_file(input.data), full_chain_file(input.data)};
    for (const auto& name : all_names(input)) {
        files.push_back(certificate_file(input.data, name));
        files.push_back(key_file(input.data, name));
    }
    for (const auto& file : files) {
        std::error_code ignored;
        if (std::filesystem::exists(std::filesystem::symlink_status(file, ignored)))
            return base::fail(base::Code::already_exists, fmt::format("file {}", file.string()),
                              "exists already",
                              "name another directory with --data; ca init replaces nothing");
    }
    return {};
}

base::Result<Link> make_link(const std::string& name, pki::Profile profile, std::optional<int> path_length,
                             pki::KeyType type, const Link* issuer, base::Instant now) {
    SP_TRY(return, auto key, pki::PrivateKey::generate(type));
    const pki::IssueInput body{
        .profile = profile, .key = key.public_key(), .common_name = name, .path_length = path_length};
    SP_TRY(return, auto certificate,
                 pki::issue(body, issuer ? &issuer->certificate : nullptr, issuer ? issuer->key : key, now));
    return Link{name, std::move(certificate), std::move(key)};
}

/// The root first.
base::Result<std::vector<Link>> make_links(const InitInput& input, base::Instant now) {
    std::vector<Link> links;
    SP_TRY(return, auto root,
                 make_link(input.root, pki::Profile::root, std::nullopt, input.key_type, nullptr, now));
    links.push_back(std::move(root));
    for (std::size_t i = 0; i < input.chain.size(); ++i) {
        // As many CAs as may stand below: further intermediates and one Edge CA.
        const int below = static_cast<int>(input.chain.size() - i);
        SP_TRY(return, auto link,
                     make_link(input.chain[i], pki::Profile::intermediate, below, input.key_type,
                               &links.back(), now));
        links.push_back(std::move(link));
    }
    return links;
}

base::Status write_all(const InitInput& input, const std::vector<Link>& links) {
    NewFiles files;
    std::string full_chain;
    for (const auto& link : links) {
        SP_TRY(return, const auto key, link.key.pem());
        if (auto done = files.write(key_file(input.data, link.name), key.text(), base::secret_mode); !done)
            return done;
        const auto pem = link.certificate.pem();
        if (auto done = files.write(certificate_file(input.data, link.name), pem, base::public_mode); !done)
            return done;
        full_chain.insert(0, pem);
    }
    if (auto done = files.write(full_chain_file(input.data), full_chain, base::public_mode); !done)
        return done;
    // Last: what has no ca.toml is no CA.
    const auto config = config_text({.root = input.root, .chain = input.chain, .profiles = {}});
    if (auto done = files.write(config_file(input.data), config, base::public_mode); !done) return done;
    files.keep();
    return {};
}

}  // namespace

base::Status init(const InitInput& input, base::Instant now) {
    if (auto fine = check_input(input); !fine) return fine;
    if (auto made = base::make_private_directories(input.data); !made) return made;
    SP_TRY(return, const auto lock, base::DirectoryLock::take(input.data));
    if (auto fine = check_absent(input); !fine) return fine;
    if (auto made = base::make_private_directories(certificate_directory(input.data)); !made) return made;
    if (auto made = base::make_private_directories(key_directory(input.data)); !made) return made;
    SP_TRY(return, const auto links, make_links(input, now));
    return write_all(input, links);
}

}  // namespace ca
