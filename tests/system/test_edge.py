# SPDX-License-Identifier: Apache-2.0
"""The edge device: a parent with four children, its identity at the hub, what it keeps and what it never writes."""

import os
import pathlib
import shutil
import signal
import stat
import subprocess
import unittest

from harness import DEVICE_ID, HUB_NAME, SystemTest, ended, until


def children_of(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Parent(SystemTest):
    def setUp(self):
        super().setUp()
        self.world.make_hub()
        self.edge = self.world.make_edge()

    def test_four_children_end_with_their_parent_however_it_ends(self):
        for how in (signal.SIGTERM, signal.SIGKILL):
            children = children_of(self.edge.process.pid)
            self.assertEqual(len(children), 4)
            self.edge.stop(how)
            until(30, "the children's end", lambda: all(ended(child) for child in children))
            self.edge.start()

    def test_child_that_ends_by_itself_ends_the_parent_and_is_named(self):
        os.kill(children_of(self.edge.process.pid)[0], signal.SIGKILL)
        self.assertEqual(self.edge.process.wait(60), 1)
        self.edge.wait_for("service.ended")

    def test_keys_survive_kill_9_and_the_generation_of_edge_hub_stays(self):
        environment = self.world.edge_root / "var/lib/aziot/edged/env/edgeHub.env"
        before = environment.read_text()
        keys = {p: p.read_bytes() for p in (self.world.edge_root / "var/lib/aziot/keyd/keys").iterdir()}
        self.edge.kill()
        self.edge.start()
        self.assertEqual(environment.read_text(), before)
        for path, content in keys.items():
            self.assertEqual(path.read_bytes(), content)

    def test_every_key_file_is_0600_and_no_socket_but_the_modules_is_open_to_all(self):
        root = self.world.edge_root
        for path in (root / "var/lib/aziot/keyd/keys").iterdir():
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)
        for path in (root / "etc/aziot").rglob("*.toml"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)
        for path in (root / "run/aziot").glob("*.sock"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o660, path)
        self.assertEqual(stat.S_IMODE((root / "var/lib/aziot/edged/mnt/edgeHub.sock").stat().st_mode), 0o666)

    def test_gateway_writes_no_private_key(self):
        w = self.world
        before = set(w.edge_root.rglob("*"))
        w.make_gateway()
        cert, key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", cert)
        until(60, "the gateway knowing TempSensor",
              lambda: w.sensor("TempSensor", cert, key, "--count", "1", check=False).returncode == 0)
        for path in set(w.edge_root.rglob("*")) - before:
            if path.is_file():
                self.assertNotIn(b"PRIVATE KEY", path.read_bytes(), path)
        # The scope on disk shows neither the thumbprint nor the name of the device.
        for path in (w.edge_root / "var/lib/aziot/gateway").rglob("*"):
            if path.is_file() and "scope" in path.name:
                self.assertNotIn(w.thumbprint(cert).replace(":", "").encode(), path.read_bytes(), path)


class Provisioning(SystemTest):
    """Whom the hub takes for EdgeGateway, as the edge device meets it: over HTTPS with its identity certificate."""

    def build(self):
        self.world.make_hub()
        return self.world

    def start_unawaited(self):
        """Starts the edge services where they will not get as far as to serve."""
        w = self.world
        with open(w.edge.log, "ab") as log:
            w.edge.process = subprocess.Popen(w.edge.argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def put_identity(self, pair):
        w = self.world
        shutil.copy(pair[0], w.edge_root / f"var/lib/aziot/certd/certs/{DEVICE_ID}.cer")
        shutil.copy(pair[1], w.edge_root / f"var/lib/aziot/keyd/keys/{DEVICE_ID}.key")

    def restart_edge(self):
        """A new provisioning: what an earlier one left is forgotten."""
        w = self.world
        w.edge.stop()
        shutil.rmtree(w.edge_root / "var/lib/aziot/identityd", ignore_errors=True)
        mark = w.hub.mark()
        return mark

    def test_secondary_thumbprint_is_as_good_as_the_primary(self):
        w = self.build()
        w.make_edge()
        other = w.issue("device", "EdgeGateway", "edge-next")
        w.service("device", "update", "--device-id", "EdgeGateway", "--secondary-thumbprint", w.thumbprint(other[0]))
        mark = self.restart_edge()
        self.put_identity(other)
        w.edge.start()
        w.hub.wait_for("caller.accepted", "device=EdgeGateway", since=mark)

    def test_unknown_thumbprint_and_disabled_device_are_refused_and_told(self):
        w = self.build()
        w.make_edge()
        right = w.dir / "issued/edge-identity.pem", w.dir / "issued/edge-identity.key"
        wrong = w.issue("device", "EdgeGateway", "edge-wrong")
        mark, edge_mark = self.restart_edge(), w.edge.mark()
        self.put_identity(wrong)
        self.start_unawaited()
        w.edge.wait_for("device.not_provisioned", since=edge_mark)
        line = w.hub.wait_for("device=EdgeGateway", "leaf.thumbprint", "failed", since=mark)
        self.assertIn("refused", line)
        w.edge.stop()
        self.put_identity(right)
        w.service("device", "update", "--device-id", "EdgeGateway", "--status", "disabled")
        mark, edge_mark = w.hub.mark(), w.edge.mark()
        self.start_unawaited()
        w.edge.wait_for("device.not_provisioned", since=edge_mark)
        w.hub.wait_for("device=EdgeGateway", "identity.enabled", "failed", since=mark)
        # Enabled again, it heals by itself.
        w.service("device", "update", "--device-id", "EdgeGateway", "--status", "enabled")
        w.edge.wait_for("device.provisioned", since=edge_mark)


class LiveSessions(SystemTest):
    """A connection that is open ends when what it stands on is taken away."""

    def subscriber(self, device, port, cert, key, log):
        return subprocess.Popen(
            ["mosquitto_sub", "-d", "-h", "127.0.0.1", "--insecure", "-p", str(port), "-V", "mqttv311", "-i", device, "-u",
             f"{HUB_NAME}/{device}/?api-version=2021-04-12", "--cafile", str(self.world.root), "--cert", str(cert), "--key",
             str(key), "-t", f"devices/{device}/messages/devicebound/#", "-q", "1"],
            stdout=log, stderr=log)

    def test_disabling_ends_the_session_at_the_hub_at_once_and_at_the_gateway_within_a_minute(self):
        w = self.world
        w.make_hub()
        w.make_edge()
        cert, key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", cert)
        d2 = w.issue("device", "d2")
        w.register_leaf("d2", d2[0], parent=None)
        w.make_gateway()
        with open(w.dir / "sub.log", "wb") as log:
            at_gateway = self.subscriber("TempSensor", w.gateway.port("MQTT_PORT"), cert, key, log)
            at_hub = self.subscriber("d2", w.hub.port("MQTT_PORT"), *d2, log)
            self.addCleanup(at_gateway.kill)
            self.addCleanup(at_hub.kill)
            w.gateway.wait_for("session.started", "device=TempSensor")
            w.hub.wait_for("session.started", "device=d2")
            for device, role in (("d2", w.hub), ("TempSensor", w.gateway)):
                mark = role.mark()
                w.service("device", "update", "--device-id", device, "--status", "disabled")
                role.wait_for("session.ended", f"device={device}", since=mark, limit=60)

    def test_deleting_ends_the_session_too(self):
        w = self.world
        w.make_hub()
        d2 = w.issue("device", "d2")
        w.register_leaf("d2", d2[0], parent=None)
        with open(w.dir / "sub.log", "wb") as log:
            at_hub = self.subscriber("d2", w.hub.port("MQTT_PORT"), *d2, log)
            self.addCleanup(at_hub.kill)
            w.hub.wait_for("session.started", "device=d2")
            w.service("device", "delete", "--device-id", "d2")
            w.hub.wait_for("session.ended", "device=d2")


if __name__ == "__main__":
    unittest.main(verbosity=2)
