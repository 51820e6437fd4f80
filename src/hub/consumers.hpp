// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "store/writer.hpp"

namespace hub {

/// 1 to 128 letters, digits, '-', '.', '_', and '$' in front ("$Default").
base::Status check_consumer_name(std::string_view name);

/// Where each named consumer of the message log goes on, on disk. None holds back retention. From any thread.
class Consumers {
  public:
    static constexpr std::size_t most = 100;
    static base::Result<std::unique_ptr<Consumers>> open(const std::filesystem::path& file);

    struct Consumer {
        std::string name;
        std::uint64_t offset;  ///< the first that it has not seen
        base::Instant updated;
    };
    std::optional<std::uint64_t> offset(const std::string& name) const;
    std::vector<Consumer> list() const;  ///< by name

    using Done = std::function<void(base::Status)>;
    /// `done` is called on the writer thread once it is on disk. too_large: it would be one too many.
    void put(Consumer consumer, Done done);
    /// not_found where there is none of that name.
    void remove(std::string name, Done done);

  private:
    Consumers() = default;
    mutable std::mutex mutex_;
    std::map<std::string, Consumer> known_;  ///< what is on disk
    std::unique_ptr<store::Writer> writer_;  // last: it ends before what its calls reach
};

}  // namespace hub
