// SPDX-License-Identifier: Apache-2.0
#include "crl/settings.hpp"

#include "base/duration.hpp"
#include "base/encoding.hpp"
#include "crl/url.hpp"
#include "pki/digest.hpp"

namespace crl {
namespace {

constexpr std::size_t most_urls = 16;

}  // namespace

Settings read_settings(base::ConfigTable& table) {
    Settings settings;
    settings.urls = table.strings("crl_urls").value_or(std::vector<std::string>{});
    if (settings.urls.size() > most_urls) table.complain("crl_urls", "holds more than 16 URLs");
    for (const auto& url : settings.urls)
        if (const auto fine = parse_url(url); !fine)
            table.complain("crl_urls", "holds " + url + ", which " + fine.error().reason, fine.error().fix);
    if (const auto text = table.string("crl_max_age")) {
        const auto age = base::parse_duration(*text);
        if (age && *age > std::chrono::seconds(0))
            settings.max_age = *age;
        else
            table.complain("crl_max_age", "is not a time such as \"7d\" or \"36h\"",
                           "give more than the time between two CRLs of the CA (24 hours for ours)");
    }
    return settings;
}

std::filesystem::path kept_file(const std::filesystem::path& directory, std::string_view url) {
    constexpr std::size_t enough = 16;
    const auto digest = pki::sha256(base::as_bytes(url));
    return directory / (base::to_hex(digest).substr(0, enough) + ".crl");
}

}  // namespace crl
