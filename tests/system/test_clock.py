# SPDX-License-Identifier: Apache-2.0
"""Time that a file moves: sallyport-testing follows it at once and everywhere, sallyport knows no such thing."""

import datetime
import socket
import ssl
import struct
import unittest

from harness import HUB_NAME, SALLYPORT, SALLYPORT_TESTING, SystemTest, run


class MqttSession:
    """One MQTT connection that says little, to see when it ends."""

    def __init__(self, test, device, token):
        world = test.world
        context = ssl.create_default_context(cafile=str(world.root))
        plain = socket.create_connection(("127.0.0.1", world.hub.port("MQTT_PORT")), timeout=30)
        test.addCleanup(plain.close)
        self.socket = context.wrap_socket(plain, server_hostname=HUB_NAME)
        fields = [device, f"{HUB_NAME}/{device}/?api-version=2021-04-12", token]
        body = b"\x00\x04MQTT\x04\xc2" + struct.pack(">H", 60)
        body += b"".join(struct.pack(">H", len(f)) + f.encode() for f in fields)
        length, rest = b"", len(body)
        while True:
            rest, low = divmod(rest, 128)
            length += bytes([low | (0x80 if rest else 0)])
            if not rest:
                break
        self.socket.sendall(b"\x10" + length + body)
        test.addCleanup(self.socket.close)
        self.connack = self.socket.recv(4)

    def answers(self):
        self.socket.sendall(b"\xc0\x00")
        return self.socket.recv(2) == b"\xd0\x00"

    def has_ended(self):
        """Waits for the end; nothing is sent meanwhile."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True


class Clock(SystemTest):
    MOVES_CLOCK = True

    def test_a_session_ends_when_the_clock_passes_its_token(self):
        w = self.world
        w.make_hub()
        w.service("device", "create", "--device-id", "Sensor")
        token = w.service("sas-token", "generate", "-d", "Sensor", "--duration", "3600").stdout.strip()
        session = MqttSession(self, "Sensor", token)
        self.assertEqual(session.connack, b"\x20\x02\x00\x00")
        # Half an hour in one step is no silence of the client's.
        w.set_clock("30m")
        self.assertTrue(session.answers())
        w.set_clock("1h1m")
        self.assertTrue(session.has_ended())
        w.hub.wait_for("session.ended", "Sensor", "has expired")

    def test_the_clock_may_go_back(self):
        w = self.world
        w.make_hub()
        w.service("device", "create", "--device-id", "Sensor")
        token = w.service("sas-token", "generate", "-d", "Sensor", "--duration", "3600").stdout.strip()
        w.set_clock("2h")
        self.assertNotEqual(MqttSession(self, "Sensor", token).connack, b"\x20\x02\x00\x00")
        w.set_clock("-1s")
        self.assertEqual(MqttSession(self, "Sensor", token).connack, b"\x20\x02\x00\x00")

    def test_all_processes_of_edge_run_follow_it(self):
        w = self.world
        w.make_hub()
        w.set_clock("30d")
        w.make_edge()
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=29)
        lines = [line for line in w.edge.text().split("\n") if "service.ready" in line or "role.started" in line]
        self.assertEqual(len(lines), 5, lines)
        for line in lines:
            self.assertGreater(line[:20], soon.strftime("%Y-%m-%dT%H:%M:%S"), line)


class Switch(unittest.TestCase):
    def test_sallyport_has_none(self):
        for argv in (["--clock-file", "/dev/null", "hub", "run", "--data", "."], ["hub", "run", "--data", ".", "--clock-file", "/dev/null"],
                     ["edge", "run", "--clock-file=/dev/null"], ["gateway", "run", "--clock-file", "/dev/null"]):
            refused = run(SALLYPORT, *argv, check=False)
            self.assertEqual(refused.returncode, 2, argv)
            self.assertIn("--clock-file", refused.stderr)
        self.assertNotIn("--clock-file", run(SALLYPORT, "--help").stdout)

    def test_a_file_that_holds_no_duration_is_refused(self):
        for file in ("/dev/null", "/nowhere/clock"):
            refused = run(SALLYPORT_TESTING, "--clock-file", file, "hub", "run", check=False)
            self.assertEqual(refused.returncode, 2)
            self.assertIn("holds no duration", refused.stderr)


if __name__ == "__main__":
    unittest.main()
