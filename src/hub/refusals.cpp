// SPDX-License-Identifier: Apache-2.0
#include "hub/refusals.hpp"

#include "hub/device_queue.hpp"
#include "registry/registry.hpp"

namespace hub {

Refusal body_refusal(const base::Error& error) {
    if (error.code == base::Code::malformed) return {azure::ErrorCode::iot_hub_format_error, error.text()};
    if (error.code == base::Code::invalid_argument) return {azure::ErrorCode::argument_invalid, error.text()};
    return to_refusal(error);
}

Refusal queue_refusal(const base::Error& error) {
    const auto code = queue_code(error);
    return code == azure::from(error.code) ? store_refusal(error) : to_refusal(error, code);
}

Refusal write_refusal(const base::Error& error) {
    return to_refusal(error, registry::azure_code(error));
}

}  // namespace hub
