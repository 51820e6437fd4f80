// SPDX-License-Identifier: Apache-2.0
#include "edge/paths.hpp"

#include <gtest/gtest.h>

namespace {

// The names of edge-runtime.md 1.6 and 2.3, which are those of devices in the field.
TEST(Paths, FilesAreNamedAsInTheOriginal) {
    EXPECT_EQ(edge::file_stem("device-id"),
              "deviceid-bd732105ef89cf8edd2606a5309c8a26b7b5599a4e124a0fe6199b6b2f60e655");
    EXPECT_EQ(edge::file_stem("device-id-temp"),
              "deviceidtemp-18529c9171bde94d93057c5ae38aa55de93bd188cf902aae402ccff020205f2b");
    EXPECT_EQ(edge::file_stem("aziot-edged-ca"),
              "aziotedgedca-86f154be7ff14480027f0d00c59c223db6d9e4ab0b559fc523cca36a7c973d6d");
    EXPECT_EQ(edge::file_stem("est-id"),
              "estid-c45f3e96a312cc524fecceddbc40dfc2aa789eae911d8bc7dd4eda19b93be900");
    EXPECT_EQ(edge::file_stem("aziot-edged/module/edgeHub:637911101449272999:server"),
              "aziotedgedmoduleedgeHub637911101449272999server-"
              "5ed5e7756c32169fbcfca8c1fdb297e40ada08597e40ce8f097c286efd24874c");
    EXPECT_EQ(edge::file_stem("aziot-edged/module/$edgeHub:637911101449272999:server"),
              "aziotedgedmoduleedgeHub637911101449272999server-"
              "a0407493b6b50ee07b3fedbbb9d181e7bb5f6f52c1d071114c361aca628daa92");
}

TEST(Paths, LieUnderTheRoot) {
    const edge::Paths paths("/r");
    EXPECT_EQ(paths.configuration(), "/r/etc/aziot/config.toml");
    EXPECT_EQ(paths.service_file(edge::Service::workload), "/r/etc/aziot/edged/config.d/00-super.toml");
    EXPECT_EQ(paths.socket(edge::Service::certificates), "/r/run/aziot/certd.sock");
    EXPECT_EQ(edge::module_socket(paths.home(edge::Service::workload), "$edgeHub"),
              "/r/var/lib/aziot/edged/mnt/edgeHub.sock");
    EXPECT_EQ(edge::Paths("/").gateway_file(), "/etc/aziot/gateway/config.d/00-super.toml");
}

TEST(Paths, OnlyFileUrisNameFiles) {
    EXPECT_EQ(edge::file_of_uri("file:///a/b%20c").value(), "/a/b c");
    EXPECT_EQ(edge::file_of_uri("file:/a").value(), "/a");
    EXPECT_FALSE(edge::file_of_uri("/a"));
    EXPECT_FALSE(edge::file_of_uri("file://a"));
    EXPECT_FALSE(edge::file_of_uri("pkcs11:token=T"));
}

}  // namespace
