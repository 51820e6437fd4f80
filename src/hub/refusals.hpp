// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hub/answer.hpp"

namespace hub {

/// What a body that does not parse, or asks for what cannot be, is answered.
Refusal body_refusal(const base::Error& error);
/// What a call that the queue of devices has refused is answered.
Refusal queue_refusal(const base::Error& error);
/// What a write that the registry has refused is answered.
Refusal write_refusal(const base::Error& error);

}  // namespace hub
