# SPDX-License-Identifier: Apache-2.0
"""A full disk: nothing is acknowledged that is not kept, one line says what and what to do, and it goes on with room."""

import socket
import ssl
import struct
import unittest

from full_disk import PRIVATE_MOUNTS, SmallDisk
from harness import GENEROUS, HOSTNAME, HUB_NAME, SystemTest

BIG = 64 * 1024  # more than the rest of a page that a full disk may have left


def _text(value):
    return struct.pack(">H", len(value)) + value.encode()


def _packet(first, body):
    size, length = b"", len(body)
    while True:
        length, seven = divmod(length, 128)
        size += bytes([seven | (0x80 if length else 0)])
        if not length:
            return bytes([first]) + size + body


class Device:
    """TempSensor, octet by octet, so that an acknowledgement that is missing can be seen."""

    def __init__(self, world, port, name, cert, key):
        context = ssl.create_default_context(cafile=str(world.root))
        context.load_cert_chain(cert, key)
        self.stream = context.wrap_socket(socket.create_connection(("127.0.0.1", port), GENEROUS), server_hostname=name)
        user = f"{HUB_NAME}/TempSensor/?api-version=2021-04-12"
        self.stream.sendall(_packet(0x10, _text("MQTT") + b"\x04\x82" + struct.pack(">H", 240) + _text("TempSensor") + _text(user)))
        self.connack = self.stream.recv(4)

    def publish(self, payload):
        """Whether it was acknowledged; no where the connection ends instead."""
        self.stream.sendall(_packet(0x32, _text("devices/TempSensor/messages/events/") + struct.pack(">H", 1) + payload.encode()))
        try:
            return self.stream.recv(4) == b"\x40\x02\x00\x01"
        except (ConnectionResetError, ssl.SSLEOFError):
            return False

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.stream.close()


@unittest.skipUnless(PRIVATE_MOUNTS, "this user may not mount a disk of its own (unshare --mount)")
class FullDisk(SystemTest):
    def publish(self, payload):
        with Device(self.world, self.port, self.name, *self.sensor) as device:
            self.assertEqual(device.connack, b"\x20\x02\x00\x00")
            return device.publish(payload)

    def play(self, role, disk, event):
        """What both roles do: `role` on `disk` is filled and freed; the payloads that were acknowledged."""
        kept = ["before"]
        self.assertTrue(self.publish("before"))
        mark = role.mark()
        disk.fill()
        for attempt in range(3):
            self.assertFalse(self.publish("abc"[attempt] * BIG), "a message that cannot be kept was acknowledged")
        line = role.wait_for(event, "disk_full", since=mark)
        self.assertIn("No space left on device", line)
        self.assertRegex(line, 'fix="free some space')
        self.while_full()
        disk.free()
        for payload in ("after", "d" * BIG):
            self.assertTrue(self.publish(payload))
            kept.append(payload)
        self.assertIsNone(role.process.poll(), "it is the process of before")
        events = self.world.events(len(kept))
        self.assertEqual([str(event["payload"]) for event in events], kept)

    def while_full(self):
        pass

    def test_hub_keeps_its_word_and_goes_on(self):
        w = self.world
        w.make_hub()
        self.sensor = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", self.sensor[0], parent=None)
        w.hub.stop()
        disk = SmallDisk(w.hub, w.dir / "hub", "8m")
        w.hub.start()
        self.port, self.name = w.hub.port("MQTT_PORT"), HUB_NAME

        def registry_answers_and_refuses_writes():
            w.show_device("TempSensor")
            for number in range(200):
                refused = w.service("device", "create", "--device-id", f"new{number}", check=False)
                if refused.returncode != 0:
                    break
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("503", refused.stderr)
            w.hub.wait_for("store.failed", "code=disk_full", "registry.db", "no space left", 'fix="free')

        self.while_full = registry_answers_and_refuses_writes
        self.play(w.hub, disk, "store.failed")
        w.service("device", "create", "--device-id", "Room")

    def test_limit_of_file_sizes_is_an_error_and_not_the_end(self):
        w = self.world
        w.make_hub()
        cert, key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", cert, parent=None)
        w.hub.stop()
        w.hub.argv = ["prlimit", "--fsize=1000000", *w.hub.argv]
        w.hub.start()
        codes = [w.mosquitto_pub("TempSensor", w.hub.port("MQTT_PORT"), cert, key, "x" * 100_000,
                                 check=False).returncode for _ in range(12)]
        self.assertEqual(codes[0], 0)
        self.assertNotEqual(codes[-1], 0, "nothing was too large")
        w.hub.wait_for("store.failed")
        self.assertIsNone(w.hub.process.poll())
        self.assertEqual(w.show_device("TempSensor")["deviceId"], "TempSensor")

    def test_gateway_keeps_its_word_and_goes_on(self):
        w = self.world
        w.make_hub()
        w.make_edge()
        self.sensor = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", self.sensor[0])
        w.make_gateway()
        w.gateway.stop()
        disk = SmallDisk(w.gateway, w.edge_root / "var/lib/aziot/gateway", "8m")
        w.gateway.start()
        self.port, self.name = w.gateway.port("MQTT_PORT"), HOSTNAME
        self.play(w.gateway, disk, "ended")


if __name__ == "__main__":
    unittest.main()
