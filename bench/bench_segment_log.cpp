// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <filesystem>
#include <future>

#include "store/segment_log.hpp"
#include "store/writer.hpp"

// The segment log against SQLite, by the same measure: records acknowledged as durable a second, where
// `range(0)` records of 512 octets wait at a time. SQLite writes in groups, too (store::Writer).
namespace {

constexpr std::size_t record_size = 512;
const store::Migration schema[] = {
    {1, "records", "CREATE TABLE records(number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT"}};

/// Beside the working directory and not in /tmp, which may be memory.
std::filesystem::path fresh_directory() {
    const auto path = std::filesystem::current_path() / "bench_segment_log.data";
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
    return path;
}

/// Lets `count` acknowledgements come in.
class Batch {
  public:
    explicit Batch(std::int64_t count) : left_(count) {}
    void acknowledge() {
        if (--left_ == 0) all_.set_value();
    }
    void wait() { all_.get_future().wait(); }

  private:
    std::int64_t left_;  // all acknowledgements come on one thread
    std::promise<void> all_;
};

void finish(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations() * state.range(0));
    state.SetBytesProcessed(state.iterations() * state.range(0) * static_cast<std::int64_t>(record_size));
    std::filesystem::remove_all(std::filesystem::current_path() / "bench_segment_log.data");
}

void segment_log_append(benchmark::State& state) {
    {
        const auto log = store::SegmentLog::open(fresh_directory()).value();
        for (auto _ : state) {
            Batch batch(state.range(0));
            for (std::int64_t i = 0; i < state.range(0); ++i)
                log->append(base::Bytes(record_size), [&batch](base::Result<std::uint64_t> done) {
                    if (done) batch.acknowledge();
                });
            batch.wait();
        }
    }
    finish(state);
}
BENCHMARK(segment_log_append)->Arg(1)->Arg(10)->Arg(100)->Arg(1000)->UseRealTime();

void sqlite_append(benchmark::State& state) {
    {
        store::Writer writer(
            store::Database::open(fresh_directory() / "log.db", store::Database::Access::read_write, schema)
                .value());
        const base::Bytes body(record_size);
        for (auto _ : state) {
            Batch batch(state.range(0));
            for (std::int64_t i = 0; i < state.range(0); ++i)
                writer.submit(
                    [&body](store::Database& database) -> base::Status {
                        auto row = database.statement("INSERT INTO records(body) VALUES(?)");
                        if (auto ran = row.bind(1, body).run(); !ran) return std::unexpected(ran.error());
                        return {};
                    },
                    [&batch](base::Status done) {
                        if (done) batch.acknowledge();
                    });
            batch.wait();
        }
    }
    finish(state);
}
BENCHMARK(sqlite_append)->Arg(1)->Arg(10)->Arg(100)->Arg(1000)->UseRealTime();

void segment_log_read(benchmark::State& state) {
    const auto log = store::SegmentLog::open(fresh_directory()).value();
    constexpr std::int64_t records = 20'000;
    Batch batch(records);
    for (std::int64_t i = 0; i < records; ++i)
        log->append(base::Bytes(record_size), [&batch](base::Result<std::uint64_t>) { batch.acknowledge(); });
    batch.wait();
    std::uint64_t at = 0;
    for (auto _ : state) {
        const auto entries = log->read(at, static_cast<std::size_t>(state.range(0)), 64 << 20).value();
        at = entries.size() < static_cast<std::size_t>(state.range(0)) ? 0 : entries.back().offset + 1;
        benchmark::DoNotOptimize(entries.data());
    }
    finish(state);
}
BENCHMARK(segment_log_read)->Arg(1)->Arg(100)->Arg(1000);

}  // namespace

BENCHMARK_MAIN();
