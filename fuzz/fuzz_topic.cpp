// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "azure/message.hpp"

namespace {

azure::Properties sorted(azure::Properties properties) {
    std::ranges::sort(properties);
    return properties;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto topic = azure::parse_topic({reinterpret_cast<const char*>(data), size});
    azure::Event event{topic.identity, {}, {}};
    if (topic.kind != azure::TopicKind::telemetry || !azure::read_property_bag(topic.bag, event.message))
        return 0;
    // Azure's order of properties is not the client's, so the sets are compared.
    const auto again = azure::parse_topic(azure::telemetry_topic(topic.identity, event.message));
    azure::Message message;
    if (again.identity != topic.identity || !azure::read_property_bag(again.bag, message)) std::abort();
    if (sorted(message.system) != sorted(event.message.system)) std::abort();
    if (sorted(message.application) != sorted(event.message.application)) std::abort();
    event.message.body.assign(topic.bag.size(), std::byte{'0'});
    const auto stored = azure::decode_event(azure::encode_event(event));
    if (!stored || stored->message.application != event.message.application) std::abort();
    if (azure::event_json(event, azure::ShowProperties::all, 1).find('\n') != std::string::npos) std::abort();
    return 0;
}
