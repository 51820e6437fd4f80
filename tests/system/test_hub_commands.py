# SPDX-License-Identifier: Apache-2.0
"""Commands of `sallyport hub` about identities, keys and CA certificates, with the names and options of az."""

import json
import pathlib
import shutil
import tempfile
import time
import unittest
import urllib.parse

from dev_hub import DevHub
from harness import run, sallyport

EVENTS = "/devices/{}/messages/events?api-version=2021-04-12"


class HubTest(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.data = self.dir / "hub"
        self.hub = DevHub(self.data)
        self.addCleanup(self.hub.stop)

    def command(self, *argv, **options):
        return self.hub.command(*argv, **options)

    def json(self, *argv):
        return json.loads(self.command(*argv, "--output", "json").stdout)

    def exit_code(self, *argv):
        return self.command(*argv, check=False).returncode

    def fields(self, connection_string):
        return dict(part.split("=", 1) for part in connection_string.strip().split(";"))


class Family(HubTest):
    def setUp(self):
        super().setUp()
        for edge in ("EdgeGateway", "Other-Gateway"):
            self.command("device-identity", "create", "-d", edge, "--ee")
        for leaf in ("TempSensor", "b", "c"):
            self.command("device-identity", "create", "-d", leaf)

    def parent(self, device):
        return self.json("device-identity", "parent", "show", "-d", device)["deviceId"]

    def children(self, edge):
        return self.json("device-identity", "children", "list", "-d", edge)

    def test_a_parent_is_set_shown_and_taken_over_only_by_force(self):
        self.assertEqual(self.exit_code("device", "parent", "show", "-d", "TempSensor"), 1)
        self.command("device", "parent", "set", "--device-id", "TempSensor", "--parent-device-id", "EdgeGateway")
        self.assertEqual(self.parent("TempSensor"), "EdgeGateway")
        self.command("device", "parent", "set", "-d", "TempSensor", "--pd", "EdgeGateway")
        refused = self.command("device", "parent", "set", "-d", "TempSensor", "--pd", "Other-Gateway", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("EdgeGateway", refused.stderr)
        self.assertEqual(self.parent("TempSensor"), "EdgeGateway")
        self.command("device", "parent", "set", "-d", "TempSensor", "--pd", "Other-Gateway", "--force")
        self.assertEqual(self.parent("TempSensor"), "Other-Gateway")
        self.assertEqual(self.exit_code("device", "parent", "set", "-d", "b", "--pd", "c"), 1)
        self.assertEqual(self.exit_code("device", "parent", "set", "-d", "nobody", "--pd", "EdgeGateway"), 1)
        self.assertEqual(self.exit_code("device", "parent", "set", "-d", "b"), 2)

    def test_children_are_added_listed_and_removed(self):
        self.assertEqual(self.children("EdgeGateway"), [])
        self.command("device", "children", "add", "-d", "EdgeGateway", "--child-list", "TempSensor", "b")
        self.command("device", "children", "add", "-d", "EdgeGateway", "--cl", "c,Other-Gateway")
        self.assertEqual(sorted(self.children("EdgeGateway")), ["Other-Gateway", "TempSensor", "b", "c"])
        self.assertEqual(self.parent("Other-Gateway"), "EdgeGateway")
        text = self.command("device", "children", "list", "-d", "EdgeGateway").stdout
        self.assertEqual(sorted(text.split()), ["Other-Gateway", "TempSensor", "b", "c"])
        self.command("device", "children", "remove", "-d", "EdgeGateway", "--child-list", "b")
        self.assertEqual(sorted(self.children("EdgeGateway")), ["Other-Gateway", "TempSensor", "c"])
        self.assertEqual(self.exit_code("device", "children", "remove", "-d", "EdgeGateway", "--cl", "b"), 1)
        self.assertEqual(self.exit_code("device", "children", "remove", "-d", "EdgeGateway"), 2)
        self.command("device", "children", "remove", "-d", "EdgeGateway", "--remove-all")
        self.assertEqual(self.children("EdgeGateway"), [])
        self.assertEqual(self.exit_code("device", "children", "list", "-d", "TempSensor"), 1)
        self.command("device", "create", "-d", "it's", "--ee")
        self.command("device", "children", "add", "-d", "it's", "--cl", "b")
        self.assertEqual(self.children("it's"), ["b"])

    def test_a_parent_that_would_be_below_its_child_is_refused(self):
        self.command("device", "parent", "set", "-d", "Other-Gateway", "--pd", "EdgeGateway")
        self.assertEqual(self.exit_code("device", "parent", "set", "-d", "EdgeGateway", "--pd", "Other-Gateway"), 1)


class Keys(HubTest):
    def setUp(self):
        super().setUp()
        self.command("device", "create", "-d", "TempSensor")
        self.command("module", "create", "-d", "TempSensor", "-m", "mod1")
        self.key = self.json("device", "show", "-d", "TempSensor")["authentication"]["symmetricKey"]
        self.port = self.hub.values["IOTHUB_MQTT_PORT"]

    def send(self, token, path="TempSensor"):
        return self.hub.ask(EVENTS.format(path), method="POST", body="{}", token=token.strip())[0]

    def test_a_connection_string_of_a_device_has_its_key_and_the_port_of_mqtt(self):
        expected = {"HostName": f"localhost:{self.port}", "DeviceId": "TempSensor",
                    "SharedAccessKey": self.key["primaryKey"]}
        for argv in (["connection-string", "show", "--device-id", "TempSensor"],
                     ["device", "connection-string", "show", "-d", "TempSensor"],
                     ["device-identity", "connection-string", "show", "-d", "TempSensor", "--key-type", "primary"]):
            self.assertEqual(self.fields(self.command(*argv).stdout), expected)
        shown = self.json("device-identity", "connection-string", "show", "-d", "TempSensor", "--kt", "secondary")
        self.assertEqual(self.fields(shown["connectionString"])["SharedAccessKey"], self.key["secondaryKey"])
        self.assertEqual(self.fields(self.command("connection-string", "show", "-d", "TempSensor", "--mqtt-port",
                                                  "8883").stdout)["HostName"], "localhost")
        self.assertEqual(self.exit_code("connection-string", "show", "-d", "nobody"), 1)
        self.assertEqual(self.exit_code("connection-string", "show"), 2)

    def test_a_connection_string_of_a_module_and_of_a_device_with_a_certificate(self):
        module = self.fields(self.command("module-identity", "connection-string", "show", "-d", "TempSensor", "-m",
                                          "mod1").stdout)
        self.assertEqual((module["DeviceId"], module["ModuleId"]), ("TempSensor", "mod1"))
        self.command("device", "create", "-d", "x", "--am", "x509_thumbprint", "--ptp", "A" * 64)
        self.assertEqual(self.fields(self.command("device", "connection-string", "show", "-d", "x").stdout),
                         {"HostName": f"localhost:{self.port}", "DeviceId": "x", "x509": "true"})

    def test_tokens_open_what_they_are_for(self):
        generate = ["sas-token", "generate", "-d", "TempSensor"]
        for options in ([], ["--key-type", "secondary"], ["--duration", "60"]):
            token = self.command(*generate, *options).stdout
            self.assertEqual(self.send(token), 204)
            self.assertEqual(self.send(token, "other"), 401)
        module = self.command("generate-sas-token", "-d", "TempSensor", "-m", "mod1").stdout
        self.assertEqual(self.send(module, "TempSensor/modules/mod1"), 204)
        self.assertEqual(self.send(module), 401)
        policy = self.json("generate-sas-token")["sas"]
        self.assertEqual(self.hub.ask("/devices", token=policy)[0], 200)
        self.assertIn("skn=iothubowner", policy)
        service = self.command("generate-sas-token", "--pn", "service", "--data", self.data).stdout.strip()
        self.assertIn("skn=service", service)
        self.assertEqual(self.hub.ask("/messages/events", token=service)[0], 200)
        self.assertEqual(self.hub.ask("/devices", token=service)[0], 401)

    def test_a_token_lasts_as_long_as_it_is_asked_to(self):
        token = self.command("sas-token", "generate", "-d", "TempSensor", "--du", "86400").stdout.strip()
        ends = int(urllib.parse.parse_qs(token.split(" ", 1)[1])["se"][0])
        self.assertLess(abs(ends - time.time() - 86400), 600)
        for wrong in ("0", "-1", "x"):
            self.assertEqual(self.exit_code("sas-token", "generate", "-d", "TempSensor", "--duration", wrong), 2)

    def test_a_connection_string_signs_without_asking_anybody(self):
        device = self.command("device", "connection-string", "show", "-d", "TempSensor").stdout.strip()
        token = sallyport("hub", "sas-token", "generate", "--connection-string", device).stdout
        self.assertEqual(self.send(token), 204)
        wrong = sallyport("hub", "sas-token", "generate", "--connection-string", "HostName=a;DeviceId=b;x509=true",
                          check=False)
        self.assertEqual(wrong.returncode, 2)
        other = self.command("sas-token", "generate", "--policy-name", "service", check=False)
        self.assertEqual(other.returncode, 2)
        self.assertIn("--data", other.stderr)

    def sourced(self, text, names):
        """What a program started by a shell that has sourced `text` finds in its environment."""
        script = 'eval "$1"; shift; python3 -c "import json, os, sys; print(json.dumps({n: os.environ.get(n) for n in sys.argv[1:]}))" "$@"'
        return json.loads(run("sh", "-c", script, "sh", text, *names).stdout)

    def test_the_environment_of_a_device_is_what_the_samples_read(self):
        text = self.command("env", "TempSensor").stdout
        names = ["IOTHUB_DEVICE_CONNECTION_STRING", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE",
                 "IOTHUB_DEVICE_SECURITY_TYPE"]
        found = self.sourced(text, names)
        ca = self.hub.values["IOTHUB_CA_FILE"]
        self.assertEqual(found, {
            "IOTHUB_DEVICE_CONNECTION_STRING": self.command("device", "connection-string", "show", "-d",
                                                            "TempSensor").stdout.strip(),
            "NODE_EXTRA_CA_CERTS": ca, "SSL_CERT_FILE": ca, "IOTHUB_DEVICE_SECURITY_TYPE": "connectionString"})
        self.assertEqual(self.json("env", "--device-id", "TempSensor"), found)
        module = self.json("env", "TempSensor", "-m", "mod1")
        self.assertIn(";ModuleId=mod1;", module["IOTHUB_MODULE_CONNECTION_STRING"])
        self.assertEqual(self.exit_code("env", "nobody"), 1)
        self.assertEqual(self.exit_code("env"), 2)

    def test_the_environment_of_a_device_with_a_certificate_names_its_files(self):
        cert, key = self.dir / "it's.pem", self.dir / "it's.key"
        sallyport("ca", "issue", "--data", self.data / "ca", "--profile", "device", "--subject", "x", "--key-out", key,
                  "--out", cert)
        thumbprint = sallyport("thumbprint", cert).stdout.split()[-1]
        self.command("device", "create", "-d", "x", "--am", "x509_thumbprint", "--ptp", thumbprint)
        needs = self.command("env", "x", check=False)
        self.assertEqual(needs.returncode, 2)
        self.assertIn("--cert", needs.stderr)
        text = self.command("env", "x", "--cert", cert, "--key", key).stdout
        names = ["PATH_TO_CERTIFICATE_FILE", "PATH_TO_KEY_FILE", "X509_CERT_FILE", "X509_KEY_FILE", "HOSTNAME",
                 "DEVICE_ID", "KEY_PASSPHRASE_OR_EMPTY"]
        self.assertEqual(self.sourced(text, names), {
            "PATH_TO_CERTIFICATE_FILE": str(cert), "PATH_TO_KEY_FILE": str(key), "X509_CERT_FILE": str(cert),
            "X509_KEY_FILE": str(key), "HOSTNAME": "localhost", "DEVICE_ID": "x", "KEY_PASSPHRASE_OR_EMPTY": ""})
        self.assertEqual(self.hub.ask(EVENTS.format("x"), method="POST", body="{}", identity=(cert, key))[0], 204)


class PolicyKeys(HubTest):
    def policy(self, *argv):
        return self.command("policy", *argv, "--data", self.data)

    def login(self, *options):
        return self.command("connection-string", "show", "--data", self.data, "--host",
                            f"localhost:{self.hub.values['IOTHUB_HTTPS_PORT']}", *options).stdout.strip()

    def works(self, login):
        return self.exit_code("device", "list", "--login", login) == 0

    def test_policies_are_listed_and_shown_and_only_json_has_keys(self):
        listed = self.policy("list").stdout
        self.assertEqual([line.split()[0] for line in listed.splitlines()],
                         ["device", "iothubowner", "registryRead", "registryReadWrite", "service"])
        shown = json.loads(self.policy("show", "--name", "registryReadWrite", "-o", "json").stdout)
        self.assertEqual(list(shown), ["keyName", "primaryKey", "rights", "secondaryKey"])
        self.assertEqual(shown["rights"], "RegistryRead, RegistryWrite")
        self.assertNotIn(shown["primaryKey"], listed + self.policy("show", "-n", "registryReadWrite").stdout)
        self.assertEqual(self.fields(self.login("--pn", "registryReadWrite"))["SharedAccessKey"], shown["primaryKey"])
        self.assertEqual(self.exit_code("policy", "show", "-n", "nobody", "--data", self.data), 1)

    def test_a_running_hub_takes_a_renewed_key_at_once_and_the_other_key_stays_good(self):
        primary, secondary = self.login(), self.login("--key-type", "secondary")
        self.assertTrue(self.works(primary) and self.works(secondary))
        self.policy("renew-key", "--name", "iothubowner", "--kind", "primary")
        self.assertFalse(self.works(primary))
        self.assertTrue(self.works(secondary))
        renewed = self.login()
        self.assertTrue(self.works(renewed))
        self.policy("renew-key", "-n", "iothubowner", "--rk", "swap")
        self.assertEqual((self.login(), self.login("--kt", "secondary")), (secondary, renewed))
        self.assertTrue(self.works(renewed) and self.works(secondary))
        self.assertEqual(self.exit_code("policy", "renew-key", "-n", "nobody", "--kind", "swap", "--data", self.data), 1)
        self.assertEqual(self.exit_code("policy", "renew-key", "-n", "service", "--kind", "x", "--data", self.data), 2)


class Possession(HubTest):
    def sensor(self, ca):
        cert, key = self.dir / "sensor.pem", self.dir / "sensor.key"
        sallyport("ca", "issue", "--data", ca, "--profile", "device", "--subject", "CaSensor", "--key-out", key, "--out",
                  cert)
        self.command("device", "create", "-d", "CaSensor", "--am", "x509_ca")
        return cert, key

    def let_in(self, identity):
        return self.hub.ask(EVENTS.format("CaSensor"), method="POST", body="{}", identity=identity)[0] == 204

    def verified(self, name):
        return self.json("certificate", "show", "--name", name)["properties"]["isVerified"]

    def test_ca_issue_makes_the_proof_for_the_ca_that_issues(self):
        ca = self.dir / "ca"
        sallyport("ca", "init", "--data", ca)
        identity = self.sensor(ca)
        self.command("certificate", "create", "-n", "issuing", "-p", ca / "certs/my_optional_intermediate_CA.pem")
        self.assertFalse(self.let_in(identity))
        code = self.command("certificate", "generate-verification-code", "-n", "issuing").stdout.strip()
        self.assertRegex(code, "^[0-9A-F]{48}$")
        proof = self.dir / "proof.pem"
        sallyport("ca", "issue", "--data", ca, "--profile", "device", "--subject", code, "--days", "1", "--key-out",
                  self.dir / "proof.key", "--out", proof)
        self.assertEqual(self.exit_code("certificate", "verify", "-n", "issuing", "-p", identity[0]), 1)
        self.assertFalse(self.verified("issuing"))
        self.command("certificate", "verify", "-n", "issuing", "-p", proof)
        self.assertTrue(self.verified("issuing"))
        self.assertTrue(self.let_in(identity))
        self.assertEqual(self.exit_code("certificate", "verify", "-n", "issuing", "-p", proof), 1, "the code is spent")

    def test_openssl_makes_the_proof_for_a_root_above_intermediates(self):
        ca = self.dir / "ca"
        sallyport("ca", "init", "--data", ca)
        identity = self.sensor(ca)
        root, root_key = ca / "certs/my_private_root_CA.pem", ca / "private/my_private_root_CA.key.pem"
        self.command("certificate", "create", "-n", "root", "-p", root)
        shown = self.json("certificate", "generate-verification-code", "-n", "root")
        code, etag = shown["properties"]["verificationCode"], shown["etag"]
        request, proof = self.dir / "proof.csr", self.dir / "proof.pem"
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            self.dir / "proof.key", "-subj", f"/CN={code}", "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-CA", root, "-CAkey", root_key, "-days", "1", "-out", proof)
        self.assertEqual(self.exit_code("certificate", "verify", "-n", "root", "-p", proof, "--etag", "AAAA"), 1)
        with_key = self.dir / "both.pem"
        with_key.write_text(proof.read_text() + (self.dir / "proof.key").read_text())
        self.assertEqual(self.exit_code("certificate", "verify", "-n", "root", "-p", with_key), 1)
        self.assertFalse(self.let_in(identity))
        self.command("certificate", "verify", "-n", "root", "-p", proof, "--etag", etag)
        self.assertTrue(self.let_in(identity))


if __name__ == "__main__":
    unittest.main(verbosity=2)
