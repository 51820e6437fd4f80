// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "ca/layout.hpp"
#include "pki/certificate.hpp"
#include "pki/key.hpp"
#include "pki/profile.hpp"

/// What making a CA consists of, for `ca init` and for a CA whose root is elsewhere.
namespace ca {

/// One CA of a chain.
struct Link {
    std::string name;
    pki::Certificate certificate;
    std::optional<pki::PrivateKey> key;  ///< absent where it is kept elsewhere, or lies in its file already
};

/// Files that go again unless all of them were made.
class NewFiles {
  public:
    NewFiles() = default;
    NewFiles(const NewFiles&) = delete;
    NewFiles& operator=(const NewFiles&) = delete;
    ~NewFiles();
    base::Status write(const Path& file, std::string_view text, mode_t mode);
    void keep() { files_.clear(); }

  private:
    std::vector<Path> files_;
};

/// Makes a key and its certificate; issuer null: a root.
base::Result<Link> make_link(const std::string& name, pki::Profile profile, std::optional<int> path_length,
                             pki::KeyType type, const Link* issuer, base::Instant now);

/// Adds the intermediates `names` below the last of `links`. Each may have as many CAs below it as the
/// further ones and one Edge CA make.
base::Status add_intermediates(std::vector<Link>& links, std::span<const std::string> names,
                               pki::KeyType type, base::Instant now);

/// Keys, certificates, full-chain.pem and last ca.toml of these, the root first: all of them or none.
base::Status write_ca(const std::filesystem::path& data, const std::vector<Link>& links);

/// Names good for files, no two alike.
base::Status check_ca_names(const std::vector<std::string>& names);
/// already_exists where `data` has a file that a CA of these names would write; keys: their keys, too.
base::Status check_no_ca(const std::filesystem::path& data, const std::vector<std::string>& names, bool keys);

}  // namespace ca
