// SPDX-License-Identifier: Apache-2.0
// What one PUBLISH costs on its way in and out, by the size of its payload; a malformed one too, since a
// hostile peer chooses what we decode.
#include <benchmark/benchmark.h>

#include "azure/message.hpp"
#include "mqtt/session.hpp"

namespace {

mqtt::Publish publish(std::size_t size) {
    mqtt::Publish made;
    made.topic = "devices/TempSensor/messages/events/%24.mid=id%201&%24.ct=application%2Fjson&%24.ce=utf-8";
    made.payload.assign(size, std::byte{'x'});
    made.qos = mqtt::Qos::at_least_once;
    made.packet_id = 7;
    return made;
}

void count_bytes(benchmark::State& state, std::size_t each) {
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(each));
}

void decode_publish(benchmark::State& state) {
    const auto bytes = mqtt::encode(publish(static_cast<std::size_t>(state.range(0))));
    for (auto _ : state) benchmark::DoNotOptimize(mqtt::decode(bytes));
    count_bytes(state, bytes.size());
}
BENCHMARK(decode_publish)->Range(16, 256 * 1024);

void encode_publish(benchmark::State& state) {
    const mqtt::Packet packet = publish(static_cast<std::size_t>(state.range(0)));
    std::size_t size = 0;
    for (auto _ : state) {
        const auto bytes = mqtt::encode(packet);
        size = bytes.size();
        benchmark::DoNotOptimize(bytes.data());
    }
    count_bytes(state, size);
}
BENCHMARK(encode_publish)->Range(16, 256 * 1024);

void refuse_publish(benchmark::State& state) {
    auto bytes = mqtt::encode(publish(static_cast<std::size_t>(state.range(0))));
    bytes[6] = std::byte{0xff};  // in the topic: not UTF-8
    for (auto _ : state) benchmark::DoNotOptimize(mqtt::decode(bytes));
}
BENCHMARK(refuse_publish)->Arg(16)->Arg(16 * 1024);

/// From bytes to PUBACK, as the hub does it without the store.
void serve_publish(benchmark::State& state) {
    mqtt::Session session;
    mqtt::Connect connect;
    connect.client_id = "TempSensor";
    session.on_packet(connect, base::Instant{});
    session.accept(false, base::Instant{});
    const auto bytes = mqtt::encode(publish(static_cast<std::size_t>(state.range(0))));
    for (auto _ : state) {
        auto decoded = mqtt::decode(bytes);
        auto actions = session.on_packet(std::move((**decoded).packet), base::Instant{});
        auto& message = std::get<mqtt::Deliver>(actions[0]).message;
        auto topic = azure::parse_topic(message.topic);
        azure::Event event{topic.identity, {std::move(message.payload), {}, {}}, {}};
        if (!azure::read_property_bag(topic.bag, event.message)) state.SkipWithError("the bag was refused");
        benchmark::DoNotOptimize(azure::encode_event(event));
        for (auto& action : session.stored(message.packet_id))
            benchmark::DoNotOptimize(mqtt::encode(std::get<mqtt::Send>(action).packet));
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(serve_publish)->Arg(16)->Arg(1024)->Arg(256 * 1024);

}  // namespace

BENCHMARK_MAIN();
