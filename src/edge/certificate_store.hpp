// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "edge/config.hpp"
#include "edge/late_writer.hpp"
#include "pki/certificate.hpp"

namespace edge {

/// Certificate chains as files (edge-runtime.md 2.3): a preloaded id at its URI or as the join of other ids,
/// any other as `<home>/certs/<S>-<H>.cer`, mode 0644 in a 0700 directory. What is read holds certificates
/// and nothing else. On its own loop.
class CertificateStore {
  public:
    using Preloaded = std::map<std::string, std::variant<Uri, std::vector<std::string>>>;
    /// Makes `<home>/certs` where it is missing, removes there what an interrupted write left, and puts aside
    /// damaged files of ours, so that their certificates count as absent and are made again.
    static base::Result<CertificateStore> open(std::filesystem::path home, Preloaded preloaded);

    /// The PEM text of an id; not_found where there is none.
    base::Result<std::string> read(std::string_view id) const;
    /// The same, parsed.
    base::Result<pki::Chain> chain(std::string_view id) const;
    base::Status write(std::string_view id, const pki::Chain& chain);
    /// For a record that nobody needs after a power cut: on the disk a little later, to be read at once.
    base::Status write_later(std::string_view id, const pki::Chain& chain);
    /// An absent one is a success.
    base::Status remove(std::string_view id);
    /// Fails for an id that is a list.
    base::Result<std::filesystem::path> path(std::string_view id) const;

  private:
    CertificateStore(std::filesystem::path home, Preloaded preloaded)
        : home_(std::move(home)), preloaded_(std::move(preloaded)), later_(std::make_unique<LateWriter>()) {}
    const std::vector<std::string>* list(std::string_view id) const;
    base::Result<std::string> read_within(std::string_view id, int depth) const;
    base::Result<std::string> read_list(const std::vector<std::string>& ids, int depth) const;
    /// A text and what it holds; parsing costs more than signing does.
    struct Parsed {
        std::string text;
        pki::Chain chain;
    };
    base::Result<Parsed> read_one(std::string_view id) const;
    bool is_given(const std::filesystem::path& file) const;
    base::Status repair();

    std::filesystem::path home_;
    Preloaded preloaded_;
    std::unique_ptr<LateWriter> later_;
    mutable std::map<std::filesystem::path, Parsed> parsed_;
};

}  // namespace edge
