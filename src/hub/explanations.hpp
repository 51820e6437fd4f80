// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "hub/config.hpp"
#include "hub/explanation.hpp"
#include "store/writer.hpp"

namespace hub {

/// The explanations of refusals, on disk, so that an id that is pasted days later still tells something.
/// Bounded by number and age; written on a thread of its own, without an fsync each: a power cut may lose the
/// last ones. From any thread.
class Explanations {
  public:
    static base::Result<std::unique_ptr<Explanations>> open(const std::filesystem::path& file,
                                                            ExplainLimits keep, const base::Clock& clock);
    /// Never waits: where too many are waiting for the disk already it is dropped, counted and logged.
    void add(Explanation explanation);

    using Documents = base::Result<std::vector<std::string>>;
    /// `done` is called on another thread with the document of that id (one or none), as of to_json.
    /// Everything that was added before is seen.
    void find(std::string key, std::function<void(Documents)> done);
    /// The newest ones about a device, newest first.
    void newest(std::string device, std::size_t most, std::function<void(Documents)> done);
    std::uint64_t dropped() const { return dropped_; }

    /// The same in the file, for commands at the hub's machine: changes nothing.
    static Documents find_in(const std::filesystem::path& file, const std::string& key);
    static Documents newest_in(const std::filesystem::path& file, const std::string& device,
                               std::size_t most);

  private:
    Explanations(ExplainLimits keep, const base::Clock& clock) : keep_(keep), clock_(clock) {}
    void written(const base::Status& status);
    void ask(std::function<Documents(store::Database&)> question, std::function<void(Documents)> done);

    ExplainLimits keep_;
    const base::Clock& clock_;
    std::atomic<std::size_t> waiting_ = 0;
    std::atomic<std::uint64_t> dropped_ = 0;
    std::uint64_t told_ = 0;                 ///< of dropped_; on the writer thread
    std::size_t unpurged_ = 0;               ///< written since old ones were removed; on the writer thread
    std::unique_ptr<store::Writer> writer_;  // last: it ends before what its calls reach
};

}  // namespace hub
