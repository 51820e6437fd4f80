// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

/// What TempSensor is told on its command line.
struct SensorOptions {
    std::string gateway;  ///< HOST:PORT to connect to
    std::string name;     ///< the name that the gateway's certificate must have
    std::string hub;      ///< in the user name and the token's audience
    std::string device;
    std::string certificate;    ///< PEM file, with intermediates behind the leaf
    std::string key;            ///< PEM file, 0600
    std::string trust;          ///< PEM file of trust anchors
    std::string token;          ///< a SAS token, ready
    std::string symmetric_key;  ///< base64: the token is made here
    std::uint32_t count = 1;
    std::uint32_t interval_ms = 0;
    bool explain = false;
};
