// SPDX-License-Identifier: Apache-2.0
#include "hub/twin_view.hpp"

#include "azure/twin.hpp"
#include "base/result.hpp"

namespace hub {

namespace {

template <class T>
base::Result<TwinView> view(registry::Reader& reader, const Sessions& sessions, T shown) {
    const auto& identity = shown.record.identity;
    if (const auto since = sessions.connected_since(identity)) {
        shown.connected = true;
        shown.connection_state_updated = *since;
        shown.last_activity = *since;
    }
    SP_TRY(return, const auto twin, reader.twin(identity));
    // Gone since its identity was read: it matches nothing.
    if (!twin) return TwinView{identity, {}};
    return TwinView{identity, azure::to_value(*twin, shown)};
}

}  // namespace

base::Result<TwinView> view_twin(registry::Reader& reader, const Sessions& sessions,
                                 const azure::Device& device) {
    return view(reader, sessions, device);
}

base::Result<TwinView> view_twin(registry::Reader& reader, const Sessions& sessions,
                                 const azure::Module& module) {
    return view(reader, sessions, module);
}

}  // namespace hub
