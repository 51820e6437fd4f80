// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

namespace base {
namespace {

class SystemClock final : public Clock {
  public:
    Instant now() const override {
        return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    }
    std::chrono::sys_time<std::chrono::milliseconds> now_ms() const override {
        return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    }
};

}  // namespace

// Alone in its object: sallyport-testing brings one of its own, and the linker then leaves this out.
const Clock& system_clock() {
    static const SystemClock clock;
    return clock;
}

}  // namespace base
