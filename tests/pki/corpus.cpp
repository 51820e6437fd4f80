// SPDX-License-Identifier: Apache-2.0
#include "corpus.hpp"

#include <boost/json/src.hpp>
#include <fstream>
#include <stdexcept>

namespace corpus {
namespace {

std::string field(std::string_view line, std::string_view key) {
    const std::string mark = '"' + std::string(key) + "\":\"";
    const auto at = line.find(mark);
    if (at == std::string_view::npos) throw std::runtime_error("corpus line without " + std::string(key));
    line.remove_prefix(at + mark.size());
    return std::string(line.substr(0, line.find('"')));
}

std::string text(const boost::json::object& object, std::string_view key) {
    const auto& value = object.at(key);
    return value.is_string() ? std::string(value.as_string()) : std::string();
}

}  // namespace

const std::vector<Line>& lines() {
    static const std::vector<Line> all = [] {
        std::vector<Line> read;
        std::ifstream file(TEST_DATA "/corpus/cases.jsonl");
        for (std::string line; std::getline(file, line);)
            read.push_back({field(line, "id"), field(line, "tier"), line});
        return read;
    }();
    return all;
}

Case read_case(const Line& line) {
    const auto object = boost::json::parse(line.json).as_object();
    Case each;
    each.id = line.id;
    if (auto chain = pki::certificates_from_pem(text(object, "chain_pem"), "chain", 1000))
        each.chain = *std::move(chain);
    if (auto trust = pki::TrustBundle::from_pem(text(object, "trust_pem"), "trust"))
        each.trust = *std::move(trust);
    const auto purpose = text(object, "purpose");
    each.purpose = purpose == "server"   ? pki::Purpose::server
                   : purpose == "client" ? pki::Purpose::client
                                         : pki::Purpose::any;
    if (const auto host = text(object, "host"); !host.empty()) each.name = pki::PeerName::parse(host);
    if (const auto ip = text(object, "ip"); !ip.empty()) each.name = pki::PeerName::parse(ip);
    each.now = base::parse_rfc3339(text(object, "time")).value();
    each.accept = text(object, "expected") == "accept";
    each.why = text(object, "why");
    return each;
}

pki::Verification run(const Case& each, pki::Policy policy) {
    return pki::verify({.chain = each.chain,
                        .trust = each.trust,
                        .purpose = each.purpose,
                        .name = &each.name,
                        .now = each.now,
                        .policy = policy});
}

}  // namespace corpus
