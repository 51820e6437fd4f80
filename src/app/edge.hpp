// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/command.hpp"

namespace app {

/// The commands of the edge device beside `edge run`; each adds its own under `edge`.
void add_edge_config(CLI::App& edge, Run& run);        ///< config apply
void add_edge_config_new(CLI::App& config, Run& run);  ///< config mp, x509
void add_edge_certs(CLI::App& edge, Run& run);         ///< certs install, follow

}  // namespace app
