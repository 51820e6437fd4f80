// SPDX-License-Identifier: Apache-2.0
#include "ca/init.hpp"

#include "base/file.hpp"
#include "base/result.hpp"
#include "ca/layout.hpp"
#include "ca/new_ca.hpp"

namespace ca {

base::Status init(const InitInput& input, base::Instant now) {
    std::vector<std::string> names{input.root};
    names.insert(names.end(), input.chain.begin(), input.chain.end());
    if (auto fine = check_ca_names(names); !fine) return fine;
    if (auto made = base::make_private_directories(input.data); !made) return made;
    SP_TRY(return, const auto lock, base::DirectoryLock::take(input.data));
    if (auto fine = check_no_ca(input.data, names, true); !fine) return fine;
    if (auto made = base::make_private_directories(certificate_directory(input.data)); !made) return made;
    if (auto made = base::make_private_directories(key_directory(input.data)); !made) return made;
    std::vector<Link> links;
    SP_TRY(return, auto root,
                 make_link(input.root, pki::Profile::root, std::nullopt, input.key_type, nullptr, now));
    links.push_back(std::move(root));
    if (auto added = add_intermediates(links, input.chain, input.key_type, now); !added) return added;
    return write_ca(input.data, links);
}

}  // namespace ca
