// SPDX-License-Identifier: Apache-2.0
// A module that asks its workload API for server certificates, one after the other, beside the two raw
// operations that each of them needs (bench/edge_services.py runs it). Times are wall clock, in microseconds;
// turns are taken within the run, since a machine's speed drifts.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "http/blocking_client.hpp"
#include "pki/digest.hpp"
#include "pki/key.hpp"

namespace {

using Times = std::vector<double>;

template <class Function>
void measure(Times& into, Function&& function) {
    const auto before = std::chrono::steady_clock::now();
    function();
    into.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - before).count());
}

double at(Times times, double part) {
    std::ranges::sort(times);
    return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
}

http::Request request_of(http::Verb verb, std::string target, std::string body) {
    http::Request request;
    request.verb = verb;
    request.raw_target = std::move(target);
    request.body = std::move(body);
    if (!request.body.empty()) request.headers.set("Content-Type", "application/json");
    return request;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Load of the workload API"};
    std::string socket, module = "$edgeHub", generation, name;
    int count = 1000;
    app.add_option("--socket", socket)->required();
    app.add_option("--module", module);
    app.add_option("--generation", generation)->required();
    app.add_option("--name", name)->required();
    app.add_option("--count", count);
    CLI11_PARSE(app, argc, argv);

    http::BlockingClient client(socket, std::chrono::seconds(10));
    const auto base = fmt::format("/modules/{}/genid/{}/", module, generation);
    const auto certificate = request_of(http::Verb::post, base + "certificate/server?api-version=2020-07-07",
                                        fmt::format(R"({{"commonName":"{}"}})", name));
    const auto sign =
        request_of(http::Verb::post, base + "sign?api-version=2020-07-07", R"({"data":"ZGF0YQ=="})");
    const auto digest = pki::sha256(base::as_bytes("what is signed"));
    Times keys, signatures, certificates, tokens;
    const auto signer = pki::PrivateKey::generate(pki::KeyType::ec_p256);
    const auto must = [](bool good, const std::string& why) {
        if (good) return;
        std::fprintf(stderr, "%s\n", why.c_str());
        ::_exit(1);
    };
    for (int i = 0; i < count; ++i) {
        measure(keys, [&] { must(pki::PrivateKey::generate(pki::KeyType::ec_p256).has_value(), "key"); });
        measure(signatures, [&] { must(signer->sign_digest(digest).has_value(), "signature"); });
        measure(certificates, [&] {
            const auto answer = client.ask(certificate);
            must(answer && answer->status == 201, answer ? answer->body : answer.error().text());
        });
        measure(tokens, [&] {
            const auto answer = client.ask(sign);
            must(answer && answer->status == 200, answer ? answer->body : answer.error().text());
        });
    }
    for (const auto& [word, times] : {std::pair<const char*, const Times&>{"key_generation", keys},
                                      {"signature", signatures},
                                      {"server_certificate", certificates},
                                      {"token_signature", tokens}})
        std::printf("%s %.1f %.1f\n", word, at(times, 0.5), at(times, 0.95));
    return 0;
}
