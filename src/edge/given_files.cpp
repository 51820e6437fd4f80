// SPDX-License-Identifier: Apache-2.0
#include "edge/given_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/file.hpp"
#include "base/result.hpp"
#include "edge/given_pairs.hpp"
#include "pki/key.hpp"

namespace edge {
namespace {

base::Status check_pair(const GivenPair& pair) {
    SP_TRY(return, const auto chain, read_given_chain(pair.certificate, pair.whose + " certificate"));
    if (!pair.key.starts_with("file:")) return {};
    SP_TRY(return, const auto key, pki::PrivateKey::load(pair.key, pair.whose + " key"));
    if (key.matches(chain.front())) return {};
    return base::fail(base::Code::invalid_argument, fmt::format("{} key {}", pair.whose, pair.key),
                      fmt::format("does not belong to the first certificate of {} ({})", pair.certificate,
                                  chain.front().subject()),
                      "name a certificate and the key that it was made for");
}

base::Status check_secret(const Uri& uri, const std::string& what) {
    const auto file = file_of_uri(uri);
    if (!file) return {};
    SP_TRY(return, const auto bytes, base::read_secret_file(*file, what));
    if (bytes.bytes().empty())
        return base::fail(base::Code::invalid_argument, fmt::format("{} {}", what, file->string()),
                          "is empty");
    return {};
}

base::Status check_certificates(const Uri& uri, const std::string& what) {
    SP_TRY(return, const auto chain, read_given_chain(uri, what));
    return {};
}

class Look {
  public:
    void at(base::Status status) {
        if (!status) findings_.problems.push_back(std::move(status).error());
    }
    Findings found() { return std::move(findings_); }

  private:
    Findings findings_;
};

void look_at_device(const Device& device, Look& look) {
    if (const auto* key = std::get_if<SymmetricCredential>(&device.credential); key && !key->value)
        look.at(check_secret(key->uri, "device key"));
    if (!device.hub.trusted_certs) return;
    for (const auto& uri : *device.hub.trusted_certs) look.at(check_certificates(uri, "trusted certificate"));
}

}  // namespace

void Findings::add(Findings more) {
    std::ranges::move(more.problems, std::back_inserter(problems));
    std::ranges::move(more.warnings, std::back_inserter(warnings));
}

Findings look_at_files(const Configuration& configuration) {
    Look look;
    for (const auto& pair : given_pairs(configuration)) look.at(check_pair(pair));
    if (configuration.device) look_at_device(*configuration.device, look);
    if (configuration.trust_bundle) look.at(check_certificates(*configuration.trust_bundle, "trust bundle"));
    if (configuration.est)
        for (const auto& uri : configuration.est->trusted_certs)
            look.at(check_certificates(uri, "trusted certificate of the EST server"));
    for (const auto& [id, source] : configuration.preloaded_certificates)
        if (const auto* uri = std::get_if<Uri>(&source))
            look.at(check_certificates(*uri, fmt::format("preloaded certificate {}", id)));
    for (const auto& [id, uri] : configuration.preloaded_keys)
        look.at(check_secret(uri, fmt::format("preloaded key {}", id)));
    return look.found();
}

base::Status check_given_files(const Configuration& configuration) {
    auto found = look_at_files(configuration);
    if (found.problems.empty()) return {};
    return std::unexpected(std::move(found.problems.front()));
}

Findings look_at_principals(const Configuration& configuration) {
    Findings out;
    const auto& all = configuration.principals;
    const auto is_module = [](const Principal& each) {
        return each.uid && std::ranges::find(each.idtype, "module") != each.idtype.end();
    };
    for (auto one = all.begin(); one != all.end(); ++one)
        for (auto other = std::next(one); other != all.end(); ++other) {
            if (!is_module(*one) || !is_module(*other) || one->uid != other->uid) continue;
            out.warnings.push_back(
                {base::Code::invalid_argument, fmt::format("modules {} and {}", one->name, other->name),
                 fmt::format("share the user {}, so that each can obtain the other's keys and certificates",
                             *one->uid),
                 "give each module a user of its own"});
        }
    return out;
}

}  // namespace edge
