# SPDX-License-Identifier: Apache-2.0
"""`edge run`: a parent with four children, against a real hub and without one."""

import base64
import hashlib
import hmac
import http.client
import json
import socket
import unittest

from harness import HUB_NAME, SystemTest, sallyport, until


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


def ask(path, method, target, body=None, version="2020-09-01"):
    connection = UnixConnection(path)
    connection.request(method, f"{target}{'&' if '?' in target else '?'}api-version={version}",
                       None if body is None else json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None


class EdgeRun(SystemTest):
    def test_registers_the_gateway_module_with_a_key_derived_here(self):
        w = self.world
        w.make_hub()
        w.make_edge()
        shown = json.loads(w.service("module", "show", "--device-id", "EdgeGateway", "--module-id", "$edgeHub",
                                     "--output", "json").stdout)
        master = next((w.edge_root / "var/lib/aziot/keyd/keys").glob("aziotidentitydmasterid-*.key")).read_bytes()
        derived = hmac.new(master, f"$edgeHub:{shown['generationId']}:primary".encode(), hashlib.sha256).digest()
        self.assertEqual(shown["authentication"]["symmetricKey"]["primaryKey"], base64.b64encode(derived).decode())
        environment = (w.edge_root / "var/lib/aziot/edged/env/edgeHub.env").read_text()
        self.assertIn(f'IOTEDGE_MODULEGENERATIONID="{shown["generationId"]}"', environment)
        gateway = w.edge_root / "etc/aziot/gateway/config.d/00-super.toml"
        self.assertEqual(gateway.stat().st_mode & 0o777, 0o600)
        w.edge.wait_for("server.accepted", f"name={HUB_NAME}", "leaf.san")

    def test_a_hub_that_comes_later_is_found(self):
        w = self.world
        w.make_hub()
        w.hub.stop()
        w.hub.start()
        identity_of_hub = w.hub.values
        w.make_edge()
        w.edge.stop()
        w.hub.stop()
        w.edge.start()  # serves from what it remembers
        sign = {"data": base64.b64encode(b"x").decode()}
        environment = (w.edge_root / "var/lib/aziot/edged/env/edgeHub.env").read_text()
        generation = environment.split('IOTEDGE_MODULEGENERATIONID="')[1].split('"')[0]
        workload = w.edge_root / "var/lib/aziot/edged/mnt/edgeHub.sock"
        status, answer = ask(workload, "POST", f"/modules/%24edgeHub/genid/{generation}/sign", sign, "2020-07-07")
        self.assertEqual(status, 200, answer)
        here = w.edge.mark()
        w.hub.start()
        self.assertEqual(w.hub.values["HTTPS_PORT"], identity_of_hub["HTTPS_PORT"])
        w.edge.wait_for("device.provisioned", since=here)

    def test_a_refusal_of_the_hub_is_logged_with_its_words(self):
        w = self.world
        w.make_hub()
        w.make_edge()
        w.edge.stop()
        w.service("device", "update", "--device-id", "EdgeGateway", "--status", "disabled")
        w.edge.start()
        w.edge.wait_for("device.not_provisioned", "401")

    def test_a_second_one_on_the_same_root_is_refused(self):
        w = self.world
        w.make_hub()
        w.make_edge()
        second = sallyport("edge", "run", "--root", w.edge_root, check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn("is in use by process", second.stderr)
        self.assertIsNone(w.edge.process.poll())

    def test_a_key_that_others_may_read_or_that_is_not_the_certificates_is_told_at_start(self):
        w = self.world
        w.make_hub()
        w.make_edge()
        w.edge.stop()
        key = next((w.edge_root / "var/lib/aziot/keyd/keys").glob("deviceid-*.key"))
        key.chmod(0o644)
        refused = sallyport("edge", "run", "--root", w.edge_root, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("chmod 600", refused.stderr)
        key.chmod(0o600)
        key.write_bytes(w.issue("device", "another")[1].read_bytes())
        refused = sallyport("edge", "run", "--root", w.edge_root, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("does not belong to", refused.stderr)
        key.unlink()
        self.assertIn("No such file", sallyport("edge", "run", "--root", w.edge_root, check=False).stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
