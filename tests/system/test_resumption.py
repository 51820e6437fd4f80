# SPDX-License-Identifier: Apache-2.0
"""TLS sessions that are resumed where hub.toml allows it, with a client that is not ours."""

import socket
import ssl
import struct

from harness import GENEROUS, HUB_NAME, SystemTest


def connect_packet(device):
    def text(value):
        return struct.pack(">H", len(value)) + value.encode()

    body = (text("MQTT") + bytes([4, 0x82]) + struct.pack(">H", 60) + text(device) +
            text(f"{HUB_NAME}/{device}/?api-version=2021-04-12"))
    return bytes([0x10, len(body)]) + body


class Resumption(SystemTest):
    def build(self, resumption):
        w = self.world
        w.make_hub()
        if resumption:
            w.hub.stop()
            config = w.dir / "hub" / "hub.toml"
            config.write_text(config.read_text().replace("[tls]\n", "[tls]\nresumption = true\n"))
            w.hub.start()
        return w

    def context(self, cert, key):
        context = ssl.create_default_context(cafile=str(self.world.root))
        context.load_cert_chain(cert, key)
        return context

    def connect(self, context, device, session=None):
        """The CONNACK's code, whether the session was resumed, and the session for the next time."""
        with socket.create_connection(("127.0.0.1", self.world.hub.port("MQTT_PORT")), GENEROUS) as bare:
            with context.wrap_socket(bare, server_hostname=HUB_NAME, session=session) as stream:
                stream.sendall(connect_packet(device))
                code = stream.recv(4)[3]
                return code, stream.session_reused, stream.session

    def test_is_off_unless_asked_for(self):
        w = self.build(resumption=False)
        cert, key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", cert, parent=None)
        context = self.context(cert, key)
        code, _, session = self.connect(context, "TempSensor")
        self.assertEqual(code, 0)
        code, resumed, _ = self.connect(context, "TempSensor", session)
        self.assertEqual((code, resumed), (0, False))

    def test_who_resumes_is_judged_by_the_registry_of_that_moment(self):
        w = self.build(resumption=True)
        cert, key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", cert, parent=None)
        context = self.context(cert, key)
        code, resumed, session = self.connect(context, "TempSensor")
        self.assertEqual((code, resumed), (0, False))
        code, resumed, session = self.connect(context, "TempSensor", session)
        self.assertEqual((code, resumed), (0, True))
        w.service("device", "update", "--device-id", "TempSensor", "--status", "disabled")
        code, resumed, _ = self.connect(context, "TempSensor", session)
        self.assertEqual((code, resumed), (5, True))

    def test_chain_of_the_first_handshake_is_what_a_resumed_one_is_judged_by(self):
        w = self.build(resumption=True)
        # The device's file has its intermediate; the hub knows the root alone.
        cert, key = w.issue("device", "Sensor")
        self.assertGreaterEqual(cert.read_text().count("BEGIN CERTIFICATE"), 2)
        w.service("certificate", "create", "--name", "root", "--path", w.root, "--verified", "true")
        w.service("device", "create", "--device-id", "Sensor", "--auth-method", "x509_ca")
        context = self.context(cert, key)
        code, _, session = self.connect(context, "Sensor")
        self.assertEqual(code, 0)
        for _ in range(2):  # a resumed session can be resumed as well
            code, resumed, session = self.connect(context, "Sensor", session)
            self.assertEqual((code, resumed), (0, True))

    def test_ticket_ends_with_the_hub(self):
        w = self.build(resumption=True)
        cert, key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", cert, parent=None)
        context = self.context(cert, key)
        _, _, session = self.connect(context, "TempSensor")
        w.hub.stop()
        w.hub.start()
        code, resumed, _ = self.connect(context, "TempSensor", session)
        self.assertEqual((code, resumed), (0, False))


if __name__ == "__main__":
    import unittest

    unittest.main()
