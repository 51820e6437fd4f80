# SPDX-License-Identifier: Apache-2.0
"""Modules that are plain processes: `[[principal]]` with idtype module."""

import base64
import http.client
import json
import os
import ssl
import subprocess
import unittest

from harness import HUB_NAME, SystemTest, run, sallyport

# What a module is to this test: a process that knows nothing but its environment. Prints "status body".
CALLER = r"""
import http.client, json, os, socket, sys
class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX); self.sock.settimeout(30)
        self.sock.connect(os.environ["SOCKET"] if "SOCKET" in os.environ else os.environ["IOTEDGE_WORKLOADURI"][7:])
module = os.environ["IOTEDGE_MODULEID"].replace("$", "%24")
base = f"/modules/{module}/genid/{os.environ['IOTEDGE_MODULEGENERATIONID']}"
target, body = sys.argv[1].replace("BASE", base).replace("MODULE", module), sys.argv[2]
c = Unix("x")
c.request("POST" if body else "GET", target + "?api-version=" + os.environ["IOTEDGE_APIVERSION"], body or None,
          {"Content-Type": "application/json"})
a = c.getresponse(); print(a.status, a.read().decode())
"""


def https_get(port, target, root, identity):
    context = ssl.create_default_context(cafile=root)
    context.load_cert_chain(*identity)
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
    connection.request("GET", target)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200, body
    return json.loads(body)


class ModuleTest(SystemTest):
    # Two users of this machine where the test may become them, else ourselves and somebody else.
    def users(self):
        return (61001, 61002) if os.geteuid() == 0 else (os.geteuid(), 61002)

    def make(self, more=("", "")):
        w = self.world
        w.make_hub()
        w.dir.chmod(0o755)  # modules of other users must pass
        w.make_edge(more="".join(
            f'[[principal]]\nname = "{name}"\nuid = {uid}\nidtype = ["module"]\n{extra}\n'
            for name, uid, extra in zip(("mod1", "mod2"), self.users(), more)))

    def environment(self, module):
        return self.world.edge_root / f"var/lib/aziot/edged/env/{module}.env"

    def call(self, module, target, body="", user=None, **variables):
        """A call by a process of `user` that sourced the module's environment as a shell does."""
        options = {"user": user, "group": user, "extra_groups": []} if os.geteuid() == 0 and user else {}
        done = subprocess.run(["sh", "-c", 'set -a; . "$0"; shift; exec python3 -c "$@"', self.environment(module), "x",
                               CALLER, target, json.dumps(body) if body else ""], capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], **variables}, timeout=60, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        status, _, text = done.stdout.partition(" ")
        return int(status), json.loads(text)


class Modules(ModuleTest):
    def test_a_plain_process_has_all_it_needs_in_its_environment(self):
        self.make()
        user = self.users()[0]
        status, answer = self.call("mod1", "BASE/sign", {"keyId": "primary", "algo": "HMACSHA256", "data": "ZGF0YQ=="},
                                   user)
        self.assertEqual(status, 200, answer)
        self.assertEqual(len(base64.b64decode(answer["digest"])), 32)
        status, answer = self.call("mod1", "BASE/certificate/server", {"commonName": "mod1", "expiration": ""}, user)
        self.assertEqual(status, 201, answer)
        w = self.world
        (w.dir / "chain.pem").write_text(answer["certificate"])
        status, bundle = self.call("mod1", "/trust-bundle", user=user)
        self.assertEqual(status, 200)
        (w.dir / "bundle.pem").write_text(bundle["certificate"])
        sallyport("verify", "--trust", w.dir / "bundle.pem", "--chain", w.dir / "chain.pem", "--purpose", "server",
                  "--host", "mod1")
        run("openssl", "verify", "-CAfile", w.dir / "bundle.pem", "-untrusted", w.dir / "chain.pem", w.dir / "chain.pem")

    def test_a_module_can_never_obtain_anothers_key_or_certificate(self):
        self.make()
        mine, other = self.users()
        theirs = str(self.world.edge_root / "var/lib/aziot/edged/mnt/mod2.sock")
        secrets = {"plaintext": "c2VjcmV0", "initializationVector": "aXZpdml2aXZpdml2"}
        calls = [("BASE/sign", {"data": "ZGF0YQ=="}), ("BASE/encrypt", secrets),
                 ("BASE/decrypt", {"ciphertext": "AAAA", "initializationVector": "aXZpdml2aXZpdml2"}),
                 ("BASE/certificate/server", {"commonName": "mod2"}), ("/modules/MODULE/certificate/identity", {"a": ""})]
        for target, body in calls:
            # Through the other's socket with the other's ids, which anyone may know: the kernel tells who calls.
            self.assertEqual(self.call("mod2", target, body, mine)[0], 403, target)
            # The other's ids through the own socket, and the own ids through the other's.
            own = str(self.world.edge_root / "var/lib/aziot/edged/mnt/mod1.sock")
            self.assertEqual(self.call("mod2", target, body, mine, SOCKET=own)[0], 403, target)
            self.assertEqual(self.call("mod1", target, body, mine, SOCKET=theirs)[0], 403, target)
        # The own socket with another's name.
        self.assertEqual(self.call("mod1", "BASE/certificate/server", {"commonName": "mod2"}, mine)[0], 403)
        self.assertEqual(self.call("mod1", "BASE/certificate/server", {"commonName": "edgegateway.local"}, mine)[0], 403)
        if os.geteuid() == 0:
            self.assertEqual(self.call("mod2", *calls[0], other)[0], 200, "its own user may")
            self.assert_closed_to(mine)

    def assert_closed_to(self, user):
        """Neither the keys service's socket nor any private file can be opened by a module's user."""
        root = self.world.edge_root
        for path in [*root.glob("run/aziot/*.sock"), *root.rglob("*.key"), *root.rglob("00-super.toml")]:
            script = ("import socket, sys\np = sys.argv[1]\n"
                      "try:\n    if p.endswith('.sock'): socket.socket(socket.AF_UNIX).connect(p)\n    else: open(p)\n"
                      "except PermissionError: sys.exit(7)\n")
            # By a shell, whose search goes on where a Python of this test's own user may not be run.
            done = subprocess.run(["sh", "-c", 'exec python3 -c "$@"', "x", script, str(path)], user=user, group=user,
                                  extra_groups=[])
            self.assertEqual(done.returncode, 7, path)


class ByCertificate(ModuleTest):
    def setUp(self):
        super().setUp()
        self.make(('auth = "x509"', ""))
        self.user = self.users()[0]

    def obtain(self, name):
        status, answer = self.call("mod1", "/modules/MODULE/certificate/identity", {"expiration": ""}, self.user)
        self.assertEqual(status, 201, answer)
        cert, key = self.world.dir / f"{name}.pem", self.world.dir / f"{name}.key"
        cert.write_text(answer["certificate"])
        key.touch(0o600)
        key.write_text(answer["privateKey"]["bytes"])
        return cert, key

    def registered(self):
        shown = self.world.service("module", "show", "--device-id", "EdgeGateway", "--module-id", "mod1", "--output", "json")
        return json.loads(shown.stdout)["authentication"]

    def thumbprint(self, cert):
        return self.world.thumbprint(cert).replace(":", "")

    def publish(self, cert, key, payload):
        w = self.world
        return run("mosquitto_pub", "-h", "127.0.0.1", "--insecure", "-p", w.hub.port("MQTT_PORT"), "-V", "mqttv311", "-i",
                   "EdgeGateway/mod1", "-u", f"{HUB_NAME}/EdgeGateway/mod1/?api-version=2021-04-12", "--cafile", w.root,
                   "--cert", cert, "--key", key, "-t", "devices/EdgeGateway/modules/mod1/messages/events/", "-m", payload,
                   "-q", "1", check=False)

    def test_is_registered_as_self_signed_and_connects_with_its_certificate(self):
        w = self.world
        self.assertIn('IOTEDGE_AUTHSCHEME="x509"', self.environment("mod1").read_text())
        self.assertIn('IOTEDGE_AUTHSCHEME="sasToken"', self.environment("mod2").read_text())
        first = self.obtain("first")
        authentication = self.registered()
        self.assertEqual(authentication["type"], "selfSigned")
        self.assertEqual(authentication["x509Thumbprint"]["primaryThumbprint"].upper(), self.thumbprint(first[0]))
        self.assertIsNone(authentication["symmetricKey"]["primaryKey"])
        sent = self.publish(*first, "by certificate")
        self.assertEqual(sent.returncode, 0, sent.stderr)
        event = w.events(1)[0]
        self.assertEqual((event["origin"], event["module"]), ("EdgeGateway", "mod1"))

        # A renewal takes the other slot: the certificate in use stays good until the next one.
        second = self.obtain("second")
        both = self.registered()["x509Thumbprint"]
        self.assertEqual([both["primaryThumbprint"].upper(), both["secondaryThumbprint"].upper()],
                         [self.thumbprint(second[0]), self.thumbprint(first[0])])
        for pair in (first, second):
            self.assertEqual(self.publish(*pair, "again").returncode, 0)
        self.obtain("third")
        self.assertNotEqual(self.publish(*first, "too old").returncode, 0)

    def test_is_shown_as_x509_to_identityd_alone(self):
        self.obtain("first")
        w = self.world
        identity = (w.dir / "issued/edge-identity.pem", w.dir / "issued/edge-identity.key")
        for version, word in (("2017-11-08-preview", "x509"), ("2021-04-12", "selfSigned")):
            for target in ("/devices/EdgeGateway/modules/mod1", "/devices/EdgeGateway/modules"):
                document = https_get(w.hub.port("HTTPS_PORT"), f"{target}?api-version={version}", w.root, identity)
                modules = document if isinstance(document, list) else [document]
                types = {m["moduleId"]: m["authentication"]["type"] for m in modules}
                self.assertEqual(types["mod1"], word, (version, target))

    def test_a_restart_and_a_reconciliation_leave_the_thumbprint_alone(self):
        first = self.obtain("first")
        before = self.registered()
        w = self.world
        w.edge.stop()
        w.edge.start()
        mark = w.edge.mark()
        w.edge.wait_for("device.provisioned", since=0)
        self.assertEqual(self.registered(), before)
        self.assertEqual(self.publish(*first, "after").returncode, 0, w.edge.text()[mark:])

    def test_a_new_certificate_that_the_hub_does_not_know_is_not_handed_out(self):
        self.obtain("first")
        self.world.hub.stop()
        status, answer = self.call("mod1", "/modules/MODULE/certificate/identity", {"expiration": ""}, self.user)
        self.assertEqual(status, 500)
        self.assertIn("identity certificate", answer["message"])
        self.assertNotIn("PRIVATE KEY", json.dumps(answer))


if __name__ == "__main__":
    unittest.main(verbosity=2)
