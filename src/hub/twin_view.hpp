// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>

#include "base/error.hpp"
#include "hub/sessions.hpp"
#include "registry/registry.hpp"

namespace hub {

/// A twin as the service API shows it (hub.md 5.5), connection state included, for queries.
struct TwinView {
    trust::Identity identity;
    boost::json::object document;  ///< empty: deleted meanwhile
};

base::Result<TwinView> view_twin(registry::Reader& reader, const Sessions& sessions,
                                 const azure::Device& device);
base::Result<TwinView> view_twin(registry::Reader& reader, const Sessions& sessions,
                                 const azure::Module& module);

}  // namespace hub
