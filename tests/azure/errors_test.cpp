// SPDX-License-Identifier: Apache-2.0
#include "azure/errors.hpp"

#include <gtest/gtest.h>

namespace {

using azure::ErrorCode;

TEST(ErrorBody, HasTheFormOfARealAnswer) {
    EXPECT_EQ(
        azure::error_body(ErrorCode::device_not_found, "TempSensor", "8d08ff-G:9",
                          *base::parse_rfc3339("2018-10-15T03:54:24Z")),
        R"({"Message":"ErrorCode:DeviceNotFound;TempSensor","ExceptionMessage":"Tracking ID:8d08ff-G:9-TimeStamp:10/15/2018 03:54:24"})");
}

TEST(ErrorBody, KeepsSemicolonsOutOfTheText) {
    EXPECT_NE(azure::error_body(ErrorCode::argument_invalid, "chain \"a;b;c\"", "t", {})
                  .find(R"(;chain \"a,b,c\"")"),
              std::string::npos);
}

TEST(ErrorBody, GivesItsTextBack) {
    EXPECT_EQ(azure::error_text(azure::error_body(ErrorCode::device_not_found, "Temp;Sensor", "t", {})),
              "Temp,Sensor");
    EXPECT_EQ(azure::error_text(R"({"code":"X","message":"of the resource manager"})"),
              "of the resource manager");
    EXPECT_EQ(azure::error_text(R"({"Message":"{\"errorCode\":404103}"})"), R"({"errorCode":404103})");
    for (const auto* other : {"", "not JSON", "[]", R"({"Message":1})"})
        EXPECT_EQ(azure::error_text(other), "");
}

TEST(ErrorCodes, CarryTheStatusInFrontAndTheNameThatSdksLookFor) {
    EXPECT_EQ(azure::http_status(ErrorCode::precondition_failed), 412);
    EXPECT_EQ(azure::http_status(ErrorCode::module_already_exists), 409);
    EXPECT_EQ(azure::name(ErrorCode::module_already_exists), "ModuleAlreadyExistsOnDevice");
    EXPECT_EQ(azure::name(ErrorCode::throttling), "ThrottlingException");
}

TEST(ErrorCodes, AreFoundForOurOwn) {
    EXPECT_EQ(azure::from(base::Code::malformed), ErrorCode::iot_hub_format_error);
    EXPECT_EQ(azure::from(base::Code::disk_full), ErrorCode::service_unavailable);
    EXPECT_EQ(azure::from(base::Code::internal), ErrorCode::server_error);
    EXPECT_EQ(azure::http_status(azure::from(base::Code::unauthenticated)), 401);
    EXPECT_EQ(azure::http_status(azure::from(base::Code::rate_limited)), 429);
}

}  // namespace
