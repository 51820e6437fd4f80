// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "registry/registry.hpp"
#include "store/database.hpp"

namespace registry {

struct Reader::Impl {
    std::unique_ptr<store::Database> database;
};

}  // namespace registry
