// SPDX-License-Identifier: Apache-2.0
#include "edge/late_writer.hpp"

#include "base/events.hpp"
#include "base/file.hpp"
#include "base/log.hpp"

namespace edge {

LateWriter::~LateWriter() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void LateWriter::write(const std::filesystem::path& file, std::string text) {
    const std::lock_guard lock(mutex_);
    waiting_[file] = std::move(text);
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    changed_.notify_all();
}

std::optional<std::string> LateWriter::pending(const std::filesystem::path& file) const {
    const std::lock_guard lock(mutex_);
    if (const auto found = waiting_.find(file); found != waiting_.end()) return found->second;
    if (writing_ && writing_->first == file) return writing_->second;
    return std::nullopt;
}

void LateWriter::forget(const std::filesystem::path& file) {
    std::unique_lock lock(mutex_);
    waiting_.erase(file);
    changed_.wait(lock, [&] { return !writing_ || writing_->first != file; });
}

void LateWriter::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        auto next = waiting_.extract(waiting_.begin());
        writing_.emplace(std::move(next.key()), std::move(next.mapped()));
        lock.unlock();
        const auto written = base::write_atomically(writing_->first, writing_->second, base::public_mode);
        if (!written)
            base::log::write(base::log::Level::warning, base::events::certificate_not_kept, written.error());
        lock.lock();
        writing_.reset();
        changed_.notify_all();
    }
}

}  // namespace edge
