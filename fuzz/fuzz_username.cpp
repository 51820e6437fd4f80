// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "azure/username.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto claim = azure::parse_username({reinterpret_cast<const char*>(data), size});
    if (!claim) return 0;
    const auto again = azure::parse_username(azure::make_username(*claim));
    if (!again || again->identity != claim->identity || again->host != claim->host) std::abort();
    if (again->client_type != claim->client_type || again->model_id != claim->model_id) std::abort();
    if (again->auth_chain != claim->auth_chain) std::abort();
    if (!claim->api_version.empty() && again->api_version != claim->api_version) std::abort();
    return 0;
}
