// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// What a peer may ask of us, each with its reason.
namespace mqtt::limits {

/// hub.md 3.1: a telemetry message of 256 KiB, and its topic with properties and header on top.
inline constexpr std::size_t payload = 256 * 1024;
inline constexpr std::size_t packet = payload + 64 * 1024 + 16;
/// Before CONNECT was accepted nobody is trusted with more: an Azure CONNECT with a SAS token is under 2 KiB.
inline constexpr std::size_t first_packet = 32 * 1024;
/// What may arrive while CONNECT is being decided: clients pipeline their SUBSCRIBE and first messages behind
/// it.
inline constexpr std::size_t waiting = payload + packet;
/// Messages of one client that are delivered and not yet stored: as many as there are packet ids.
inline constexpr std::size_t unstored = 65'535;
/// hub.md 3.6: five filters are documented; the C SDK uses them all.
inline constexpr std::size_t filters = 64;
/// hub.md 2.9.
inline constexpr std::uint16_t keep_alive_seconds = 1177;
inline constexpr std::chrono::seconds keep_alive_cap{1767};
/// gateway.md 5.1: a peer that has not sent CONNECT by then is closed.
inline constexpr std::chrono::seconds connect_deadline{60};

}  // namespace mqtt::limits
