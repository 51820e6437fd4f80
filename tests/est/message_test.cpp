// SPDX-License-Identifier: Apache-2.0
#include "est/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pki/digest.hpp"

namespace {

using testing::HasSubstr;

TEST(EstPath, ReadsTheOperationWithAndWithoutALabel) {
    struct Row {
        std::string_view path, label;
        est::Operation operation;
    };
    for (const auto& row : {
             Row{"/.well-known/est/cacerts", "", est::Operation::cacerts},
             Row{"/.well-known/est/edge-ca/simpleenroll", "edge-ca", est::Operation::simpleenroll},
             Row{"/edge-ca/.well-known/est/simplereenroll", "edge-ca", est::Operation::simplereenroll},
             Row{"/lab//.well-known/est/cacerts", "lab", est::Operation::cacerts},
             Row{"//.well-known/est/cacerts", "", est::Operation::cacerts},
             Row{"/.well-known/est/%64evice/csrattrs", "device", est::Operation::csrattrs},
             Row{"/.well-known/est/serverkeygen", "", est::Operation::serverkeygen},
             Row{"/.well-known/est/fullcmc", "", est::Operation::fullcmc},
         }) {
        const auto path = est::read_path(row.path);
        ASSERT_TRUE(path) << row.path << ": " << path.error().text();
        EXPECT_EQ(path->label, row.label) << row.path;
        EXPECT_EQ(path->operation, row.operation) << row.path;
    }
}

TEST(EstPath, KnowsNothingElse) {
    for (const std::string_view path :
         {"/", "/.well-known/est", "/.well-known/est/", "/.well-known/est/cacerts/", "/.well-known/est/pal",
          "/.well-known/est/a/b/cacerts", "/.well-known/est/Device/cacerts", "/cacerts", "/x/y/cacerts",
          "/.well-known/est/cacerts/cacerts", "/.well-known/EST/cacerts",
          "/simpleenroll/.well-known/est/cacerts"})
        EXPECT_EQ(est::read_path(path).error().code, base::Code::not_found) << path;
    EXPECT_EQ(est::read_path("/.well-known/est/" + std::string(65, 'a') + "/cacerts").error().code,
              base::Code::not_found);
}

TEST(EstPath, RefusesWhatDoesNotDecode) {
    for (const std::string_view path :
         {"", "cacerts", "/.well-known/est/../cacerts", "/.well-known/est/%2e%2e/cacerts",
          "/.well-known/est/%00/cacerts", "/.well-known/est/a%2fb/cacerts", "/.well-known/est/%g1/cacerts",
          "/.well-known/est/%4", "/.well-known//est/cacerts", "/.well-known/est/./cacerts",
          "/.well-known/est/a%0ab/cacerts"})
        EXPECT_EQ(est::read_path(path).error().code, base::Code::malformed) << path;
}

TEST(EstLabel, IsNoOperation) {
    for (const std::string_view good : {"device", "edge-ca", "a", "0-9"}) EXPECT_TRUE(est::is_label(good));
    for (const std::string_view bad : {"", "Device", "a_b", "a/b", "cacerts", "fullcmc"})
        EXPECT_FALSE(est::is_label(bad)) << bad;
}

std::string in_lines(const std::string& text, std::size_t columns, const std::string& end) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += columns) out += text.substr(at, columns) + end;
    return out;
}

TEST(EstBody, TakesBase64InEveryLayout) {
    const auto bytes = pki::random_bytes(400);
    const auto line = base::to_base64(bytes);
    for (const auto& body : {line, line + "\n", in_lines(line, 64, "\n"), in_lines(line, 76, "\r\n"),
                             "  \t" + in_lines(line, 61, "\n"), in_lines(line, 7, " \t")}) {
        const auto read = est::read_body(body);
        ASSERT_TRUE(read) << read.error().text();
        EXPECT_EQ(*read, bytes);
    }
}

TEST(EstBody, TakesAPemRequestAndSaysSo) {
    const auto bytes = pki::random_bytes(100);
    for (const std::string kind : {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"}) {
        bool pem = false;
        const auto read =
            est::read_body("text\n-----BEGIN " + kind + "-----\n" +
                               in_lines(base::to_base64(bytes), 64, "\n") + "-----END " + kind + "-----\n",
                           &pem);
        ASSERT_TRUE(read) << read.error().text();
        EXPECT_EQ(*read, bytes);
        EXPECT_TRUE(pem);
    }
    bool pem = true;
    ASSERT_TRUE(est::read_body("AAAA", &pem));
    EXPECT_FALSE(pem);
}

TEST(EstBody, RefusesWhatIsNotBase64) {
    for (const std::string_view body :
         {"", " \n", "QQ=", "QQ", "Q===", "QQ=A", "QR==", "Q=Q=", "QUJ=QUJD", "QUJD!", "QUJ-", "QUJD\x0b",
          "-----BEGIN CERTIFICATE REQUEST-----\nQUJD\n",
          "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----"}) {
        const auto read = est::read_body(body);
        ASSERT_FALSE(read) << body;
        EXPECT_EQ(read.error().code, base::Code::malformed);
        EXPECT_FALSE(read.error().reason.empty());
    }
    EXPECT_THAT(est::read_body("0\x82\x01\x02").error().text(), HasSubstr("is DER"));
}

TEST(EstBody, IsWrittenInOneLineButForLibest) {
    const auto bytes = pki::random_bytes(1200);
    EXPECT_EQ(est::write_body(bytes), base::to_base64(bytes) + "\n");
    EXPECT_EQ(est::write_body(bytes, "curl/7.88"), base::to_base64(bytes) + "\n");
    const auto lines = est::write_body(bytes, "libest 3.2.0p");
    EXPECT_EQ(lines, in_lines(base::to_base64(bytes), 64, "\n"));
    EXPECT_EQ(*est::read_body(lines), bytes);
}

}  // namespace
