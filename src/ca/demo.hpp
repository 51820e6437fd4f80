// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace ca {

/// One certificate of every kind that "Understand how Azure IoT Edge uses certificates" tells of, for trying
/// things out.
struct DemoInput {
    std::filesystem::path directory;  ///< must not exist, or be empty
    std::string hub = "ContosoIotHub";
    std::string gateway = "EdgeGateway";         ///< device id of the IoT Edge device
    std::string hostname = "edgegateway.local";  ///< its name on the network
    std::string downstream = "TempSensor";       ///< device id behind it
};

/// Makes a CA in `directory`/ca, and beside it a pair of files for each certificate (NAME.pem with its
/// issuers but the root, NAME.key.pem) and a README.md that tells what each is for. already_exists where
/// something is there; what a failure leaves is removed again.
base::Status make_demo_certificates(const DemoInput& input, const base::Clock& clock);

}  // namespace ca
