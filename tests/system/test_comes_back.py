# SPDX-License-Identifier: Apache-2.0
"""A device always comes back: from a boot without a clock, and from months without a network."""

import base64
import json
import shutil
import threading
import unittest

from harness import DEVICE_ID, HUB_NAME, SystemTest, run
from test_edge_services import ask


class Device(SystemTest):
    MOVES_CLOCK = True

    def make_device(self, **options):
        w = self.world
        w.make_hub()
        w.make_edge(**options)
        w.edge.wait_for("device.provisioned")
        environment = (w.edge_root / "var/lib/aziot/edged/env/edgeHub.env").read_text()
        self.generation = environment.split('IOTEDGE_MODULEGENERATIONID="')[1].split('"')[0]
        self.workload = w.edge_root / "var/lib/aziot/edged/mnt/edgeHub.sock"
        return w

    def ask(self, method, route, body=None):
        return ask(self.workload, method, route, body, "2020-07-07")

    def sign(self):
        return self.ask("POST", f"/modules/%24edgeHub/genid/{self.generation}/sign",
                        {"data": base64.b64encode(b"x").decode()})

    def server_certificate(self):
        return self.ask("POST", f"/modules/%24edgeHub/genid/{self.generation}/certificate/server",
                        {"commonName": "edgegateway.local", "expiration": "2030-01-01T00:00:00Z"})

    def serves_what_needs_no_network(self):
        status, signed = self.sign()
        self.assertEqual(status, 200, signed)
        status, bundle = self.ask("GET", "/trust-bundle")
        self.assertEqual(status, 200, bundle)
        self.assertIn("BEGIN CERTIFICATE", bundle["certificate"])
        return signed


class ClockWrong(Device):
    def test_a_boot_in_1972_waits_for_the_clock_and_goes_on(self):
        w = self.make_device()
        before = self.serves_what_needs_no_network()
        status, answer = self.server_certificate()
        self.assertEqual(status, 201, answer)
        w.edge.stop()
        here = w.edge.mark()
        w.set_clock("-20000d")
        w.edge.start()
        w.edge.wait_for("clock.wrong", "clock wrong since boot", since=here)
        w.edge.wait_for("device.not_provisioned", "clock wrong since boot", since=here)
        self.assertEqual(self.serves_what_needs_no_network(), before)
        status, answer = self.server_certificate()
        self.assertEqual(status, 500, answer)
        self.assertIn("clock wrong since boot", answer["message"])
        self.assertNotIn("certificate.issued", w.edge.text()[here:])
        there = w.edge.mark()
        w.set_clock("0")
        w.edge.wait_for("clock.right", since=there)
        w.edge.wait_for("device.provisioned", since=there)
        status, answer = self.server_certificate()
        self.assertEqual(status, 201, answer)
        self.assertIsNone(w.edge.process.poll())

    def test_a_gateway_without_a_certificate_waits_for_the_clock(self):
        w = self.make_device()
        w.edge.stop()
        w.set_clock("-20000d")
        w.edge.start()
        gateway = w.process("gateway", "gateway", "run", "--root", w.edge_root, "--listen", "127.0.0.1",
                            "--mqtt-port", "0")
        starting = threading.Thread(target=gateway.start)
        starting.start()
        gateway.wait_for("workload.unreached", "clock wrong since boot")
        self.assertFalse(gateway.ready.exists())
        w.set_clock("0")
        starting.join()
        gateway.wait_for("server_certificate.issued")
        self.assertTrue(gateway.ready.exists())

    def test_root_takes_back_a_floor_that_is_wrong_itself(self):
        w = self.make_device()
        floor = w.edge_root / "var/lib/aziot/identityd/clock_floor"
        # As one that machine and hub once agreed to.
        floor.write_text("2040-01-01T00:00:00Z\n")
        status, answer = self.server_certificate()
        self.assertEqual(status, 500, answer)
        self.assertIn("2040-01-01", answer["message"])
        applied = json.loads(w.sallyport("edge", "config", "apply", "--root", w.edge_root, "--output", "json").stdout)
        self.assertEqual(applied["clockFloorTakenBack"], "2040-01-01T00:00:00Z")
        status, answer = self.server_certificate()
        self.assertEqual(status, 201, answer)
        self.assertNotIn("2040", floor.read_text())

    def test_a_forged_2040_is_forgotten_when_the_clock_is_right(self):
        w = self.make_device()
        written = (w.edge_root / "var/lib/aziot/identityd/clock_floor").read_text()
        w.hub.stop()
        w.edge.stop()
        w.set_clock("5000d")
        w.edge.start()
        self.serves_what_needs_no_network()
        self.assertEqual((w.edge_root / "var/lib/aziot/identityd/clock_floor").read_text(), written)
        here = w.edge.mark()
        w.set_clock("0")
        w.hub.start()
        w.edge.wait_for("device.provisioned", since=here)
        self.assertNotIn("clock.wrong", w.edge.text())
        status, answer = self.server_certificate()
        self.assertEqual(status, 201, answer)


    def test_what_was_issued_in_2040_is_replaced(self):
        w = self.make_device(edge_ca=False)
        here = w.edge.mark()
        w.set_clock("5000d")
        w.edge.wait_for("certificate.renewed", "Edge CA", since=here)
        there = w.edge.mark()
        w.set_clock("0")
        w.edge.wait_for("certificate.renewed", "Edge CA", since=there)
        status, answer = self.server_certificate()
        self.assertEqual(status, 201, answer)
        leaf, ca = w.dir / "leaf.pem", next((w.edge_root / "var/lib/aziot/certd/certs").glob("aziotedgedca-*.cer"))
        leaf.write_text(answer["certificate"])
        judged = run("openssl", "verify", "-CAfile", ca, leaf, check=False)
        self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)


class LongOffline(Device):
    def test_expired_certificates_and_an_old_state_serve_and_heal(self):
        w = self.make_device()
        before = self.serves_what_needs_no_network()
        w.edge.stop()
        w.hub.stop()
        here = w.edge.mark()
        # Longer than the certificates of device, Edge CA and hub live.
        w.set_clock("100d")
        w.edge.start()
        self.assertEqual(self.serves_what_needs_no_network(), before)
        w.edge.wait_for("device.not_provisioned", since=here)
        # The way is back: a hub with a new certificate, and a new one of this device, as its operator brings it.
        cert, key = w.issue("server", HUB_NAME, "hub-again", "--san", f"DNS:{HUB_NAME}", "--san", "IP:127.0.0.1")
        shutil.copy(cert, w.dir / "hub/hub.pem")
        shutil.copy(key, w.dir / "hub/hub.key")
        w.hub.start()
        w.edge.wait_for("device.not_provisioned", "expired", since=here)
        self.assertEqual(self.serves_what_needs_no_network(), before)
        there = w.edge.mark()
        cert, key = w.issue("device", "EdgeGateway", "edge-identity-again")
        w.service("device", "update", "--device-id", "EdgeGateway", "--primary-thumbprint", w.thumbprint(cert))
        home = w.edge_root / "var/lib/aziot"
        shutil.copy(key, home / f"keyd/keys/{DEVICE_ID}.key")
        shutil.copy(cert, home / f"certd/certs/{DEVICE_ID}.cer")
        w.edge.wait_for("device.provisioned", since=there)
        # The module's key is derived from what outlived all of this.
        self.assertEqual(self.serves_what_needs_no_network(), before)
        self.assertIsNone(w.edge.process.poll())


class RegisteredAnew(Device):
    def test_a_gateway_that_started_on_what_it_knew_delivers_once_the_hub_has_a_new_entry(self):
        w = self.make_device()
        w.make_gateway()
        cert, key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", cert)
        w.gateway.wait_for("scope.changed", "TempSensor")
        for process in (w.gateway, w.edge):
            process.stop()
        for device in ("TempSensor", "EdgeGateway"):
            w.service("device", "delete", "--device-id", device)
        w.register_edge(w.dir / "issued/edge-identity.pem")
        w.register_leaf("TempSensor", cert)
        w.hub.stop()
        here = w.edge.mark()
        w.edge.start()
        w.gateway.start()
        self.serves_what_needs_no_network()  # of the old generation: nothing else is known
        w.sensor("TempSensor", cert, key, "--count", "1")
        w.hub.start()
        w.edge.wait_for("module.environment_written", since=here)
        w.gateway.wait_for("module.generation_changed")
        self.assertEqual(len(w.events(1)), 1)
        # What it knows is readable after a restart without the hub.
        w.gateway.wait_for("scope.refreshed", since=w.gateway.text().index("module.generation_changed"))
        w.hub.stop()
        w.gateway.stop()
        w.gateway.start()
        w.sensor("TempSensor", cert, key, "--count", "1")


if __name__ == "__main__":
    unittest.main()
