// SPDX-License-Identifier: Apache-2.0
#include "edge/edge_ca.hpp"

#include "base/encoding.hpp"
#include "base/result.hpp"

namespace edge {
namespace {

net::Task<base::Result<pki::CsrWish>> wish_for(IdentityClient identity,
                                               std::optional<std::string> common_name) {
    pki::CsrWish wish;
    wish.ca = true;
    if (common_name) {
        wish.common_name = *std::move(common_name);
        co_return wish;
    }
    auto device = co_await identity.device();
    if (!device) co_return std::unexpected(std::move(device).error());
    wish.common_name = edge_ca_common_name(device->device);
    co_return wish;
}

}  // namespace

std::string edge_ca_common_name(const std::string& device) {
    // Ids are ASCII, so cutting octets cuts characters.
    return ("iotedged workload ca " + base::to_lower(device)).substr(0, 64);
}

RenewalSubject edge_ca_subject(const WorkloadConfig& config, const IdentityClient& identity) {
    RenewalSubject subject;
    subject.thing = "Edge CA";
    subject.id = edge_ca_id;
    subject.previous_id = previous_edge_ca_id;
    subject.supplied = config.edge_ca_supplied;
    subject.policy = config.edge_ca_renewal;
    subject.algorithms = config.edge_ca_key_type;
    subject.fix =
        "put a certificate and its key into the files that cert and pk of [edge_ca] name, or take "
        "both out for a quickstart Edge CA";
    subject.wish = [identity, name = config.edge_ca_common_name] { return wish_for(identity, name); };
    return subject;
}

}  // namespace edge
