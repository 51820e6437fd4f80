// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gateway/scope_store.hpp"
#include "gateway/workload_client.hpp"

namespace gateway {

/// Opens the stored scope: unwraps its data key by the workload API, or makes and wraps a new one where there
/// is none or where it cannot be unwrapped any more (another generation of the module, another master key):
/// the stored records are then useless and dropped. Waits for a workload API that does not answer. Gives what
/// was stored, an empty cache where nothing was; nullptr: cancelled.
net::Task<std::shared_ptr<const ScopeCache>> unlock_scope(ScopeStore& store, WorkloadClient& workload,
                                                          ScopeOwner owner);

/// Wraps the data key of an unlocked store anew, for the generation that the module has now, so that what is
/// stored is read again after a restart without the hub.
net::Task<base::Status> rewrap_scope(ScopeStore& store, WorkloadClient& workload);

}  // namespace gateway
