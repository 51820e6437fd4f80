// SPDX-License-Identifier: Apache-2.0
// The CA's issuing against the raw signature, and its books with a few and with a million certificates:
//   ca_issue [--certificates N] [--seconds S]
// Beside the working directory and not in /tmp, which may be memory.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <semaphore>

#include "base/file.hpp"
#include "ca/audit_verify.hpp"
#include "ca/book_writer.hpp"
#include "ca/init.hpp"
#include "ca/inventory_rows.hpp"
#include "ca/layout.hpp"
#include "ca/ledger.hpp"
#include "pki/digest.hpp"

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::ptrdiff_t outstanding = 256;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return double(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           double(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

struct Rate {
    double wall_microseconds, cpu_microseconds;
};

Rate rate(double seconds, const std::function<void()>& once) {
    const auto start = Clock::now();
    const auto cpu = cpu_seconds();
    std::size_t count = 0;
    while (seconds_since(start) < seconds)
        for (int i = 0; i < 16; ++i, ++count) once();
    return {seconds_since(start) * 1e6 / double(count), (cpu_seconds() - cpu) * 1e6 / double(count)};
}

void print(const char* what, const Rate& each) {
    fmt::print("{:<44} {:>9.1f} us  {:>9.1f} us CPU\n", what, each.wall_microseconds, each.cpu_microseconds);
}

/// A certificate that nobody signed, for filling the books.
ca::Entry made_up(std::uint64_t number, base::Instant now) {
    const auto hash = pki::sha256(base::as_bytes(std::to_string(number)));
    ca::Entry entry;
    entry.serial = "4" + base::to_hex(hash).substr(1, 31);
    entry.issuer = "my_optional_intermediate_CA";
    entry.device = fmt::format("device-{:08}", number * 2654435761U % 100000000U);
    entry.subject = "CN=" + entry.device;
    entry.spki = hash;
    entry.certificate = pki::sha256(hash);
    entry.not_before = entry.issued_at = now;
    entry.not_after = now + std::chrono::days{90} + std::chrono::seconds(number / 10);
    entry.actor = "est-id:" + entry.device;
    entry.der.resize(600);
    return entry;
}

void fill(const std::filesystem::path& data, std::uint64_t count) {
    auto database = store::Database::open(ca::inventory_file(data), store::Database::Access::read_write,
                                          ca::rows::schema())
                        .value();
    auto key = pki::PrivateKey::load(ca::audit_key_file(data).string(), "audit key").value();
    const auto writer = ca::BookWriter::open(std::move(database), std::move(key), base::system_clock(),
                                             {.directory = ca::audit_directory(data)})
                            .value();
    const auto now = base::system_clock().now();
    std::counting_semaphore<> room(2048);
    for (std::uint64_t i = 0; i < count; ++i) {
        room.acquire();
        writer->submit({[entry = made_up(i, now)](ca::BookWriter::Turn& turn) {
                            turn.lines.push_back({.kind = "issue",
                                                  .actor = entry.actor,
                                                  .profile = "device",
                                                  .serial = entry.serial,
                                                  .certificate = base::to_hex(entry.certificate),
                                                  .spki = base::to_hex(entry.spki),
                                                  .subject = entry.subject});
                            return ca::rows::insert(turn.database, turn.seq, entry);
                        },
                        [&](base::Status) { room.release(); }});
    }
}

void measure_books(const std::filesystem::path& data, double seconds, const pki::PublicKey& key) {
    const auto opening = Clock::now();
    const auto ledger = ca::Ledger::open(data, base::system_clock()).value();
    fmt::print("{:<44} {:>9.3f} s\n", "  start", seconds_since(opening));
    std::counting_semaphore<> room(outstanding);
    std::atomic<std::uint64_t> failed = 0;
    std::uint64_t number = 0;
    print("  issue and record, 256 waiting", rate(seconds, [&] {
              room.acquire();
              ledger->issue({.profile = pki::Profile::device,
                             .key = key,
                             .common_name = fmt::format("bench-{}", ++number)},
                            [&](const base::Result<pki::Chain>& chain) {
                                if (!chain) ++failed;
                                room.release();
                            });
          }));
    for (std::ptrdiff_t i = 0; i < outstanding; ++i) room.acquire();
    print("  issue and record, one at a time", rate(seconds, [&] {
              if (!ledger->issue({.profile = pki::Profile::device, .key = key, .common_name = "bench"}))
                  ++failed;
          }));
    std::uint64_t at = 0;
    std::uint64_t found = 0;
    print("  look up by serial", rate(seconds / 2, [&] {
              const auto hash = pki::sha256(base::as_bytes(std::to_string(++at % 1000)));
              found += ledger->find("4" + base::to_hex(hash).substr(1, 31)) ? 1 : 0;
          }));
    print("  look up by key", rate(seconds / 2, [&] {
              found += ledger->find_key(pki::sha256(base::as_bytes(std::to_string(++at % 1000)))) ? 1 : 0;
          }));
    print("  list 100 that expire", rate(seconds / 2, [&] {
              found += ledger->list({.expiring_within = std::chrono::days{365}, .most = 100}).size();
          }));
    if (failed != 0 || found == 0) fmt::print("  FAILED: {} not issued, {} found\n", failed.load(), found);
}

int run(std::uint64_t certificates, double seconds) {
    const auto place = std::filesystem::current_path() / "ca_issue.data";
    std::filesystem::remove_all(place);
    const auto now = base::system_clock().now();
    const auto issuer_key = pki::PrivateKey::generate(pki::KeyType::ec_p256).value();
    const auto key = pki::PrivateKey::generate(pki::KeyType::ec_p256)->public_key();
    const auto issuer =
        pki::issue({.profile = pki::Profile::root, .key = issuer_key.public_key(), .common_name = "root"},
                   nullptr, issuer_key, now)
            .value();
    const auto digest = pki::sha256(issuer.der());
    print("raw P-256 signature", rate(seconds, [&] { (void)issuer_key.sign_digest(digest); }));
    print("certificate made and signed", rate(seconds, [&] {
              (void)pki::issue({.profile = pki::Profile::device, .key = key, .common_name = "bench"}, &issuer,
                               issuer_key, now);
          }));
    for (const std::uint64_t size : {std::uint64_t{1000}, certificates}) {
        const auto data = place / std::to_string(size);
        if (auto made = ca::init({.data = data}, now); !made)
            return fmt::print("{}\n", made.error().text()), 1;
        {
            const auto books = ca::Ledger::open(data, base::system_clock()).value();
        }
        const auto filling = Clock::now();
        fill(data, size);
        fmt::print("with {} certificates (recorded in {:.1f} s)\n", size, seconds_since(filling));
        measure_books(data, seconds, key);
        const auto verifying = Clock::now();
        const auto report = ca::verify_audit(data);
        fmt::print("{:<44} {:>9.3f} s  {}\n", "  audit verify", seconds_since(verifying),
                   report ? (report->clean() ? "clean" : report->problem) : report.error().text());
    }
    std::filesystem::remove_all(place);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Issuing certificates, and the books of a CA"};
    std::uint64_t certificates = 1'000'000;
    double seconds = 3;
    app.add_option("--certificates", certificates, "In the larger inventory")->capture_default_str();
    app.add_option("--seconds", seconds, "For each figure")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    return run(certificates, seconds);
}
