// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "azure/json_text.hpp"
#include "azure/twin.hpp"

// Whatever a device or service sends is refused, or gives a twin within its limits whose text reads back as
// the same; writing it twice gives the same values again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const azure::Moment now{std::chrono::milliseconds(1795600000123)};
    (void)azure::parse_twin(text);
    const auto patch = azure::parse_reported(text);
    if (!patch) return 0;
    auto twin = azure::make_twin("1", now);
    if (!azure::write_reported(twin, *patch, now)) return 0;
    if (azure::twin_size(twin.reported.values) > azure::largest_properties) std::abort();
    const auto shown = azure::json_text(twin.reported.values);
    if (azure::json_text(azure::parse_json(shown).value()) != shown) std::abort();
    const auto values = twin.reported.values;
    if (!azure::write_reported(twin, *patch, now) || twin.reported.values != values) std::abort();
    return 0;
}
