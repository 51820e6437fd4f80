// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hub/sessions.hpp"

namespace hub {

/// Puts into an azure::Device or azure::Module what only the sessions know.
template <class Document>
void show_presence(Document& document, const Sessions& sessions) {
    if (const auto since = sessions.connected_since(document.record.identity)) {
        document.connected = true;
        document.connection_state_updated = *since;
        document.last_activity = *since;
    }
}

}  // namespace hub
