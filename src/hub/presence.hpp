// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include "azure/documents.hpp"
#include "hub/services.hpp"

namespace hub {

/// Puts into an azure::Device or azure::Module what only sessions and queues know.
template <class Document>
void show_presence(Document& document, const Services& services) {
    const auto& identity = document.record.identity;
    if constexpr (std::is_same_v<Document, azure::Device>)
        document.cloud_to_device_messages = static_cast<int>(services.queue.count(identity.device));
    if (const auto since = services.sessions.connected_since(identity)) {
        document.connected = true;
        document.connection_state_updated = *since;
        document.last_activity = *since;
    }
}

}  // namespace hub
