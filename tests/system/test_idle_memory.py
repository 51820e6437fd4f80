# SPDX-License-Identifier: Apache-2.0
"""What an idle connection costs the hub: its state, and no read or write buffer of its own."""

import http.client
import json
import pathlib
import socket
import ssl
import struct
import unittest

from harness import GENEROUS, HUB_NAME, SALLYPORT, SystemTest
from sas import service_token, token

KEY = "a2V5LW9mLWFuLWlkbGUtY29ubmVjdGlvbg=="
WARM_UP = 50
COUNT = 500
# OpenSSL's state of a connection, our session and the allocator's rounding: 25 KB. With the read or the write buffer
# of TLS (16.5 KB each, of which VmRSS sees the touched pages and VmData all) a connection does not fit.
BUDGET = 34 * 1024


def _text(value):
    return struct.pack(">H", len(value)) + value.encode()


@unittest.skipIf(b"__asan_init" in pathlib.Path(SALLYPORT).read_bytes() or b"__tsan_init" in
                 pathlib.Path(SALLYPORT).read_bytes(), "a sanitizer has a memory of its own")
class IdleMemory(SystemTest):
    def register(self, names):
        w = self.world
        api = http.client.HTTPSConnection("127.0.0.1", w.hub.port("HTTPS_PORT"), timeout=GENEROUS,
                                          context=ssl.create_default_context(cafile=str(w.root)))
        headers = {"Authorization": service_token(w.connection_string), "Content-Type": "application/json"}
        for name in names:
            body = {"deviceId": name, "authentication": {"type": "sas", "symmetricKey": {"primaryKey": KEY, "secondaryKey": KEY}}}
            api.request("PUT", f"/devices/{name}?api-version=2021-04-12", json.dumps(body), headers)
            answer = api.getresponse()
            self.assertEqual(answer.status, 200, answer.read())
            answer.read()
        api.close()

    def connect(self, name):
        """Connected, and has been answered since: it has read and written beyond the handshake."""
        w = self.world
        raw = socket.create_connection(("127.0.0.1", w.hub.port("MQTT_PORT")), GENEROUS)
        stream = self.context.wrap_socket(raw, server_hostname=HUB_NAME)
        body = (_text("MQTT") + b"\x04\xc2" + struct.pack(">H", 1177) + _text(name) +
                _text(f"{HUB_NAME}/{name}/?api-version=2021-04-12") + _text(token(f"{HUB_NAME}/devices/{name}", KEY)))
        stream.sendall(b"\x10" + bytes([len(body) % 128 | 0x80, len(body) // 128]) + body)
        self.assertEqual(stream.recv(4), b"\x20\x02\x00\x00")
        stream.sendall(b"\xc0\x00")
        self.assertEqual(stream.recv(2), b"\xd0\x00")
        return stream

    def memory(self):
        status = pathlib.Path(f"/proc/{self.world.hub.process.pid}/status").read_text()
        return {name: int(status.split(f"{name}:")[1].split()[0]) * 1024 for name in ("VmRSS", "VmData")}

    def test_idle_connection_holds_no_buffer_of_its_own(self):
        w = self.world
        w.make_hub()
        names = [f"idle{number}" for number in range(WARM_UP + COUNT)]
        self.register(names)
        self.context = ssl.create_default_context(cafile=str(w.root))
        streams = [self.connect(name) for name in names[:WARM_UP]]
        before = self.memory()
        streams += [self.connect(name) for name in names[WARM_UP:]]
        after = self.memory()
        each = {name: (after[name] - before[name]) // COUNT for name in before}
        print(f"octets a connection: {each}")
        self.assertLess(max(each.values()), BUDGET, each)
        for stream in streams:
            stream.close()


if __name__ == "__main__":
    unittest.main()
