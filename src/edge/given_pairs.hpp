// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "edge/config.hpp"
#include "pki/certificate.hpp"

namespace edge {

/// A certificate and its key that the operator supplies.
struct GivenPair {
    std::string whose;  ///< "device", "Edge CA", "local CA": for errors
    Uri certificate;
    Uri key;
    bool is_ca;
    bool judged_elsewhere = false;  ///< by an EST server alone, whose anchors nobody here has
};
std::vector<GivenPair> given_pairs(const Configuration& configuration);

/// Every file that config.toml names, with the service that reads it.
std::vector<std::pair<Service, Uri>> files_by_service(const Configuration& configuration);

/// The certificates of a file, leaf first. thing: for errors.
base::Result<pki::Chain> read_given_chain(const Uri& uri, const std::string& thing);

}  // namespace edge
