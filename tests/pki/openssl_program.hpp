// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/process.hpp"

/// What the program openssl answers to `arguments`, given `input`.
inline std::string openssl(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), "openssl");
    const auto done = support::run(arguments, {.input = input});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return done.out;
}
