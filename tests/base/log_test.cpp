// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

namespace {

using base::log::Format;
using base::log::Level;
using testing::HasSubstr;
using testing::Not;

std::string logged(Level least, Format format, const std::function<void()>& write) {
    base::log::configure(least, format, "hub");
    testing::internal::CaptureStderr();
    write();
    return testing::internal::GetCapturedStderr();
}

TEST(Log, WritesOneLineWithRoleEventAndFields) {
    const auto line = logged(Level::info, Format::text, [] {
        base::log::info("session.refused", {{"device", "TempSensor"}, {"found", "a b"}, {"empty", ""}});
    });
    EXPECT_THAT(line, HasSubstr(" info hub session.refused device=TempSensor found=\"a b\" empty=\"\"\n"));
}

TEST(Log, APeerCannotForgeALine) {
    const std::string hostile =
        "x\n2026-11-25T10:00:00Z info hub session.started device=\"admin\"\r\x1b[2J\x01";
    for (const auto format : {Format::text, Format::json}) {
        const auto line =
            logged(Level::info, format, [&] { base::log::info("session.refused", {{"device", hostile}}); });
        EXPECT_EQ(std::ranges::count(line, '\n'), 1);
        EXPECT_THAT(line.substr(0, line.size() - 1), Not(testing::ContainsRegex("[[:cntrl:]]")));
    }
}

TEST(Log, TellsAnErrorInItsParts) {
    const base::Error why{base::Code::not_found, "key x", "is missing", "make one"};
    const auto text = logged(Level::info, Format::text, [&] { base::log::error("role.stopped", why); });
    EXPECT_THAT(
        text,
        HasSubstr(
            "error hub role.stopped code=not_found thing=\"key x\" reason=\"is missing\" fix=\"make one\""));
    const auto json = logged(Level::info, Format::json, [&] { base::log::error("role.stopped", why); });
    EXPECT_THAT(
        json,
        HasSubstr(
            R"("level":"error","role":"hub","event":"role.stopped","code":"not_found","thing":"key x")"));
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
    const auto nothing = logged(Level::warning, Format::text, [] {
        base::log::info("role.started");
        base::log::debug("role.started");
    });
    EXPECT_EQ(nothing, "");
    EXPECT_NE(logged(Level::warning, Format::text, [] { base::log::warning("role.started"); }), "");
}

TEST(Log, ParsesItsOptions) {
    EXPECT_EQ(base::log::parse_level("warning"), Level::warning);
    EXPECT_FALSE(base::log::parse_level("loud"));
    EXPECT_EQ(base::log::parse_format("json"), Format::json);
    EXPECT_FALSE(base::log::parse_format("xml"));
}

TEST(Error, IsOneLineForPeople) {
    EXPECT_EQ((base::Error{base::Code::io, "file x", "is gone", "look for it"}.text()),
              "file x is gone: look for it");
    EXPECT_EQ((base::Error{base::Code::io, "", "is gone", ""}.text()), "is gone");
    EXPECT_EQ(base::fail_errno(ENOSPC, "file x", "written").error().code, base::Code::disk_full);
    EXPECT_EQ(base::fail_errno(EACCES, "file x", "opened").error().code, base::Code::permission_denied);
    EXPECT_EQ(base::to_string(base::Code::already_exists), "already_exists");
}

}  // namespace
