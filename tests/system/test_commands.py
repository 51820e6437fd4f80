# SPDX-License-Identifier: Apache-2.0
"""The command line: az's spelling at the hub, and the verdicts of `sallyport verify`."""

import json
import unittest

from harness import HUB_NAME, SystemTest, run, sallyport


class AzSpelling(SystemTest):
    def test_device_identity_with_azs_names_and_options(self):
        w = self.world
        w.make_hub()
        first, second = w.issue("device", "e1"), w.issue("device", "e1", "e1-next")
        w.service("device-identity", "create", "-d", "e1", "--hub-name", HUB_NAME, "--ee", "--am", "x509_thumbprint",
                  "--ptp", w.thumbprint(first[0]), "--stp", w.thumbprint(second[0]))
        w.service("device-identity", "create", "-d", "leaf", "--edge-enabled", "false")
        shown = json.loads(w.service("device-identity", "show", "-d", "e1", "-o", "json").stdout)
        self.assertEqual(shown["capabilities"], {"iotEdge": True})
        self.assertEqual(shown["authentication"]["type"], "selfSigned")
        edges = json.loads(w.service("device-identity", "list", "--ee", "-o", "json").stdout)
        self.assertEqual([d["deviceId"] for d in edges], ["e1"])
        w.service("device-identity", "update", "-d", "e1", "--sta", "disabled")
        self.assertEqual(w.show_device("e1")["status"], "disabled")
        w.service("certificate", "create", "-n", "root", "-p", w.root, "--verified")
        self.assertTrue(json.loads(w.service("certificate", "show", "-n", "root", "-o", "json").stdout)
                        ["properties"]["isVerified"])
        w.service("monitor-events", "--timeout", "1", "-o", "json", check=False)
        w.service("device-identity", "delete", "-d", "e1")
        self.assertEqual(w.service("device-identity", "show", "-d", "e1", check=False).returncode, 1)

    def test_twins_with_azs_names_and_options(self):
        w = self.world
        w.make_hub()
        w.service("device-identity", "create", "-d", "e1")
        w.service("module-identity", "create", "-d", "e1", "-m", "mod1")
        desired = w.dir / "desired.json"
        desired.write_text('{"a": {"b": 20.5}, "c": 1}')
        first = json.loads(w.service("device-twin", "update", "-d", "e1", "--tags", '{"place": "hall"}', "--desired",
                                     desired).stdout)
        self.assertEqual((first["tags"], first["version"]), ({"place": "hall"}, 3))
        second = w.service("device-twin", "update", "-d", "e1", "--desired", '{"c": null}', "-e", first["etag"])
        self.assertIn('"b": 20.5', second.stdout)
        self.assertNotIn('"c"', second.stdout)
        lost = w.service("device-twin", "update", "-d", "e1", "--tags", '{"x": 1}', "-e", first["etag"], check=False)
        self.assertEqual(lost.returncode, 1)
        self.assertIn("412", lost.stderr)
        w.service("device-twin", "replace", "-d", "e1", "--json", '{"tags": {"x": 1}}')
        shown = json.loads(w.service("device-twin", "show", "-d", "e1").stdout)
        self.assertEqual((shown["tags"], shown["properties"]["desired"]["a"]), ({"x": 1}, {"b": 20.5}))
        w.service("module-twin", "update", "-d", "e1", "-m", "mod1", "--tags", '{"of": "module"}')
        shown = json.loads(w.service("twin", "show", "-d", "e1", "-m", "mod1").stdout)
        self.assertEqual((shown["moduleId"], shown["tags"]), ("mod1", {"of": "module"}))
        for wrong in (["--tags", "[1]"], ["--tags", "{"], []):
            self.assertIn(w.service("twin", "update", "-d", "e1", *wrong, check=False).returncode, (1, 2), wrong)
        self.assertEqual(w.service("module-twin", "show", "-d", "e1", check=False).returncode, 2)
    def test_c2d_message_goes_out_and_its_feedback_comes_back_also_after_kill_9(self):
        w = self.world
        w.make_hub()
        w.service("device-identity", "create", "-d", "TempSensor")

        def c2d(verb, *more, check=True):
            return w.service("c2d-message", verb, *more, check=check)

        self.assertEqual(c2d("receive", "-d", "TempSensor", check=False).returncode, 1)
        sent = c2d("send", "-d", "TempSensor", "--data", "hello", "--properties", "alert=high;level=1=2", "--ack", "full",
                   "--message-id", "m1", "-o", "json")
        self.assertEqual(json.loads(sent.stdout), {"messageId": "m1"})
        for bad in (["--ack", "loud"], ["--properties", "novalue"], []):
            self.assertEqual(c2d("send", "-d", "TempSensor", *(["--data", "x"] if bad else []), *bad,
                                 check=False).returncode, 2)
        self.assertEqual(c2d("send", "-d", "TempSensor", "--data", "x", "--expiry-time-utc", "1000",
                             check=False).returncode, 1)
        self.assertEqual(w.show_device("TempSensor")["cloudToDeviceMessageCount"], 1)

        w.hub.kill()
        w.hub.start()
        got = json.loads(c2d("receive", "-d", "TempSensor", "--complete", "-o", "json").stdout)
        self.assertEqual(got["data"], "hello")
        self.assertEqual(got["properties"]["app"], {"alert": "high", "level": "1=2"})
        self.assertEqual(got["properties"]["system"]["iothub-messageid"], "m1")
        self.assertEqual(w.show_device("TempSensor")["cloudToDeviceMessageCount"], 0)

        w.hub.kill()
        w.hub.start()
        record, = json.loads(c2d("feedback", "--wait", "50", "-o", "json").stdout)
        self.assertEqual((record["originalMessageId"], record["statusCode"]), ("m1", "Success"))
        self.assertEqual(c2d("feedback", check=False).returncode, 1)
        c2d("send", "-d", "TempSensor", "--data", "1")
        self.assertEqual(json.loads(c2d("purge", "-d", "TempSensor", "-o", "json").stdout),
                         {"deviceId": "TempSensor", "moduleId": None, "totalMessagesPurged": 1})


class Verify(SystemTest):
    def verify(self, *argv):
        done = sallyport("verify", *argv, "--output", "json", check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else None

    def failed(self, answer):
        return [step["check"] for step in answer["steps"] if step["outcome"] == "failed"]

    def setUp(self):
        super().setUp()
        self.chain, _ = self.world.issue("server", "edgegateway.local", "server", "--san", "DNS:edgegateway.local")
        self.root = self.world.root

    def test_good_chain_is_accepted_with_its_steps(self):
        code, answer = self.verify("--trust", self.root, "--chain", self.chain, "--purpose", "server", "--host",
                                   "edgegateway.local")
        self.assertEqual(code, 0)
        self.assertEqual(set(answer), {"accepted", "steps"})
        self.assertTrue(answer["accepted"])
        for step in answer["steps"]:
            self.assertEqual(set(step), {"check", "link", "outcome", "expected", "found"})

    def test_refusals_are_exit_code_1_and_name_the_check(self):
        common = ["--trust", self.root, "--chain", self.chain]
        for more, check in ((["--host", "other.local"], "leaf.san"), (["--purpose", "client"], "leaf.extended_key_usage"),
                            (["--time", "2050-01-01T00:00:00Z"], "leaf.validity")):
            code, answer = self.verify(*common, *more)
            self.assertEqual((code, answer["accepted"]), (1, False))
            self.assertIn(check, self.failed(answer))

    def test_usage_is_2_and_what_cannot_be_read_is_3_and_what_does_not_parse_is_1(self):
        self.assertEqual(self.verify("--trust", self.root, "--chain", self.chain, "--time", "nonsense")[0], 2)
        self.assertEqual(self.verify("--trust", self.root, "--chain", self.world.dir / "none.pem")[0], 3)
        garbage = self.world.dir / "garbage.pem"
        garbage.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        self.assertEqual(self.verify("--trust", self.root, "--chain", garbage)[0], 1)

    def test_intermediates_may_come_apart_from_the_chain(self):
        leaf = self.world.dir / "leaf.pem"
        leaf.write_text(run("openssl", "x509", "-in", self.chain).stdout)
        self.assertEqual(self.verify("--trust", self.root, "--chain", leaf)[0], 1)
        between = self.world.ca / "certs" / "my_optional_intermediate_CA.pem"
        self.assertEqual(self.verify("--trust", self.root, "--chain", leaf, "--intermediates", between)[0], 0)

    def test_common_name_counts_only_without_san_and_never_for_the_strict_policy(self):
        cert, key = self.world.dir / "cn.pem", self.world.dir / "cn.key"
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "3", "-subj",
            "/CN=old.local", "-addext", "basicConstraints=CA:FALSE")
        common = ["--trust", cert, "--chain", cert, "--host", "old.local"]
        self.assertEqual(self.verify(*common)[0], 0)
        self.assertEqual(self.verify(*common, "--policy", "strict")[0], 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
