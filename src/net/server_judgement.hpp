// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "pki/verdict.hpp"

namespace net {

/// Tells the log how a client of ours judged one server: an acceptance once, since it repeats with every
/// connection, and a refusal each time, since that is what someone must act on. On its own loop.
class ServerJudgement {
  public:
    /// name: what the certificate had to have. A verdict without steps (never got so far) is not told.
    void log(const std::string& name, const pki::Verdict& verdict);

  private:
    bool accepted_ = false;
};

}  // namespace net
