# SPDX-License-Identifier: Apache-2.0
"""MQTT over WebSocket with nothing but a socket: bytes as RFC 6455 and MQTT 3.1.1 have them, not as our own code does."""

import base64
import concurrent.futures
import hashlib
import os
import socket
import ssl
import struct
import unittest

from harness import HUB_NAME, SystemTest
from sas import token as sas_token


class WebSocket:
    def __init__(self, world, subprotocol="mqtt", target="/$iothub/websocket", cert=None):
        context = ssl.create_default_context(cafile=world.root)
        if cert:
            context.load_cert_chain(*cert)
        bare = socket.create_connection(("127.0.0.1", world.hub.port("HTTPS_PORT")), 30)
        self.socket = context.wrap_socket(bare, server_hostname=HUB_NAME)
        self.buffer = b""
        self.mqtt = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {target} HTTP/1.1\r\nHost: {HUB_NAME}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                             f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                             f"Sec-WebSocket-Protocol: {subprotocol}\r\n"
                             "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer and self.receive():
            pass
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.head = head.decode()
        salted = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.expected_accept = base64.b64encode(hashlib.sha1(salted.encode()).digest()).decode()

    def receive(self):
        try:
            got = self.socket.recv(65536)
        except ConnectionResetError:
            got = b""
        self.buffer += got
        return bool(got)

    def need(self, count):
        while len(self.buffer) < count:
            if not self.receive():
                return False
        return True

    def send(self, opcode, payload, final=True):
        mask = os.urandom(4)
        size = len(payload)
        head = struct.pack("!B", (0x80 if final else 0) | opcode)
        if size < 126:
            head += struct.pack("!B", 0x80 | size)
        elif size < 65536:
            head += struct.pack("!BH", 0xFE, size)
        else:
            head += struct.pack("!BQ", 0xFF, size)
        self.socket.sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)))

    def frame(self):
        """(opcode, payload), or None at the end."""
        if not self.need(2):
            return None
        opcode, size, at = self.buffer[0] & 15, self.buffer[1], 2
        assert size < 128, "a server does not mask"
        if size == 126:
            self.need(4)
            size, at = struct.unpack("!H", self.buffer[2:4])[0], 4
        elif size == 127:
            self.need(10)
            size, at = struct.unpack("!Q", self.buffer[2:10])[0], 10
        if not self.need(at + size):
            return None
        payload, self.buffer = self.buffer[at:at + size], self.buffer[at + size:]
        return opcode, payload

    def packet(self):
        """The next MQTT packet: first byte and the rest."""
        while True:
            if len(self.mqtt) >= 2 and len(self.mqtt) >= 2 + self.mqtt[1]:
                assert self.mqtt[1] < 128
                end = 2 + self.mqtt[1]
                packet, self.mqtt = self.mqtt[:end], self.mqtt[end:]
                return packet[0], packet[2:]
            frame = self.frame()
            if frame is None or frame[0] == 8:
                return None
            if frame[0] == 2:
                self.mqtt += frame[1]


def text(value):
    return struct.pack("!H", len(value)) + value.encode()


def mqtt(first, body):
    size, length = len(body), b""
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            return bytes([first]) + length + body


def connect(device, password=None):
    flags = 0x80 | (0x40 if password else 0)
    body = text("MQTT") + bytes([4, flags, 0, 60]) + text(device) + text(f"{HUB_NAME}/{device}/?api-version=2021-04-12")
    return mqtt(0x10, body + (text(password) if password else b""))


def publish(device, packet_id, payload):
    return mqtt(0x32, text(f"devices/{device}/messages/events/") + struct.pack("!H", packet_id) + payload)


class MqttOverWebSocket(SystemTest):
    def setUp(self):
        super().setUp()
        w = self.world
        w.make_hub()
        self.cert = w.issue("device", "d1")
        w.register_leaf("d1", self.cert[0], parent=None)

    def open(self, **more):
        peer = WebSocket(self.world, **more)
        self.addCleanup(peer.socket.close)
        return peer

    def test_telemetry_in_frames_of_any_cut_arrives(self):
        w = self.world
        peer = self.open(subprotocol="MQTT", cert=self.cert)
        self.assertIn("101 Switching Protocols", peer.head)
        self.assertIn(f"Sec-WebSocket-Accept: {peer.expected_accept}", peer.head)
        self.assertIn("Sec-WebSocket-Protocol: MQTT", peer.head)
        self.assertNotIn("Extensions", peer.head)
        packet = connect("d1")
        for i, byte in enumerate(packet):
            if i == len(packet) // 2:
                peer.send(9, b"ping")
            peer.send(0 if i else 2, bytes([byte]), final=False)
        peer.send(0, b"")
        self.assertEqual(peer.frame(), (10, b"ping"))
        self.assertEqual(peer.packet(), (0x20, b"\0\0"))
        large = b'"' + b"x" * 100_000 + b'"'
        peer.send(2, publish("d1", 1, b"1") + publish("d1", 2, large)[:5])
        peer.send(2, publish("d1", 2, large)[5:])
        self.assertEqual([peer.packet(), peer.packet()], [(0x40, b"\0\1"), (0x40, b"\0\2")])
        peer.send(2, b"\xe0\0")
        self.assertEqual(peer.frame(), (8, struct.pack("!H", 1000)))
        self.assertIsNone(peer.frame())
        self.assertEqual([len(str(e["payload"])) for e in w.events(2)], [1, 100_000])

    def test_token_alone_opens_and_closing_echoes(self):
        w = self.world
        w.service("device", "create", "--device-id", "sas1")
        key = w.show_device("sas1")["authentication"]["symmetricKey"]["primaryKey"]
        peer = self.open(target="/$iothub/websocket?iothub-no-client-cert=true")
        peer.send(2, connect("sas1", sas_token(f"{HUB_NAME}/devices/sas1", key)))
        self.assertEqual(peer.packet(), (0x20, b"\0\0"))
        peer.send(8, struct.pack("!H", 1001) + b"bye")
        self.assertEqual(peer.frame(), (8, struct.pack("!H", 1001)))
        self.assertIsNone(peer.frame())
        w.hub.wait_for("session.ended", "device=sas1", "1001: bye")

    def test_a_new_connection_over_tcp_displaces_one_over_websocket(self):
        w = self.world
        peer = self.open(cert=self.cert)
        peer.send(2, connect("d1"))
        self.assertEqual(peer.packet(), (0x20, b"\0\0"))
        w.mosquitto_pub("d1", w.hub.port("MQTT_PORT"), *self.cert, "1")
        self.assertIsNone(peer.packet())
        w.hub.wait_for("session.displaced", "device=d1")

    def test_a_method_called_by_the_command_line_reaches_the_device_and_comes_back(self):
        w = self.world
        peer = self.open(cert=self.cert)
        peer.send(2, connect("d1") + mqtt(0x82, b"\0\1" + text("$iothub/methods/POST/#") + b"\0"))
        self.assertEqual([peer.packet(), peer.packet()], [(0x20, b"\0\0"), (0x90, b"\0\1\0")])
        for spelling, expected in (("invoke-device-method", "status: 201\npayload: {\"t\": 21.50}\n"),
                                   ("invoke-method", "status: 201\npayload: {\"t\": 21.50}\n")):
            with concurrent.futures.ThreadPoolExecutor() as pool:
                called = pool.submit(w.service, spelling, "--device-id", "d1", "--method-name", "read",
                                     "--method-payload", '{"unit":1.0}', "--timeout", "60")
                first, body = peer.packet()
                self.assertEqual(first, 0x30)
                size = struct.unpack("!H", body[:2])[0]
                topic, payload = body[2:2 + size].decode(), body[2 + size:]
                self.assertRegex(topic, r"^\$iothub/methods/POST/read/\?\$rid=[0-9a-f]+$")
                self.assertEqual(payload, b'{"unit":1.0}')
                answer = "$iothub/methods/res/201/" + topic.rsplit("/", 1)[1]
                peer.send(2, mqtt(0x30, text(answer) + b'{"t": 21.50}'))
                self.assertEqual(called.result().stdout, expected)

    def test_a_method_of_an_absent_device_is_answered_no(self):
        w = self.world
        absent = w.service("invoke-method", "--device-id", "d1", "--method-name", "read", check=False)
        self.assertEqual(absent.returncode, 1)
        self.assertIn("Timed out waiting for device to connect.", absent.stderr)
        unknown = w.service("invoke-module-method", "--device-id", "d1", "--module-id", "m", "--method-name", "read",
                            check=False)
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("ModuleNotFound", unknown.stderr)
        wrong = w.service("invoke-method", "--device-id", "d1", "--method-name", "read", "--method-payload", "{",
                          check=False)
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("--method-payload", wrong.stderr)

    def test_refusals_name_their_reason(self):
        amqp = self.open(subprotocol="AMQPWSB10")
        self.assertIn(" 400 ", amqp.head)
        amqp.need(int(next(line.split(": ")[1] for line in amqp.head.split("\r\n") if line.startswith("Content-Length"))))
        self.assertIn(b"AMQPWSB10", amqp.buffer)
        refused = self.open()
        refused.send(2, connect("d1"))
        self.assertEqual(refused.packet(), (0x20, b"\0\5"))
        self.assertIsNone(refused.packet())


if __name__ == "__main__":
    unittest.main(verbosity=2)
