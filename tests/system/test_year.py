# SPDX-License-Identifier: Apache-2.0
"""A year of an edge device in one run: every certificate is renewed on time, and nothing stops for want of one.

The clock of all programs is moved by a file. The test plays the operator, who writes the thumbprint of each renewed
device certificate into the slot at the hub that is free.
"""

import functools
import json
import re
import socket
import ssl
import struct
import time
import unittest

from harness import GENEROUS, HOSTNAME, HUB_NAME, SystemTest, run, until
from test_edge_services import ask

DAY = 24 * 3600
STEP = 9 * DAY
# Later than the longest pause before a certificate is offered to the hub again.
NEXT_OFFER = 65 * 60
# Later than the gateway's next look at the Edge CA.
NEXT_LOOK = 65


@functools.cache
def dates(pem):
    """From and until when a certificate is valid, in seconds since the epoch."""
    shown = run("openssl", "x509", "-noout", "-dates", stdin=pem).stdout
    return [ssl.cert_time_to_seconds(line.split("=", 1)[1]) for line in shown.splitlines()]


def thumbprint(pem):
    return run("openssl", "x509", "-noout", "-fingerprint", "-sha256", stdin=pem).stdout.strip().split("=")[1].replace(
        ":", "")


@functools.cache
def public_key(pem):
    return run("openssl", "x509", "-noout", "-pubkey", stdin=pem).stdout


def certificates(text):
    return re.findall(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", text, re.S)


class Device:
    """A downstream device that connects once and stays."""

    def __init__(self, port, cert, key, trust):
        context = ssl.create_default_context(cafile=str(trust))
        context.load_cert_chain(cert, key)
        self.stream = context.wrap_socket(socket.create_connection(("127.0.0.1", port), GENEROUS),
                                          server_hostname=HOSTNAME)
        body = (self.text("MQTT") + b"\x04\x82\x00\x00" + self.text("TempSensor") +
                self.text(f"{HUB_NAME}/TempSensor/?api-version=2021-04-12"))
        self.stream.sendall(b"\x10" + bytes([len(body)]) + body)
        assert self.stream.recv(4) == b"\x20\x02\x00\x00"
        self.sent = 0

    def close(self):
        self.stream.close()

    @staticmethod
    def text(value):
        return struct.pack(">H", len(value)) + value.encode()

    def publish(self):
        """A message that the gateway acknowledges."""
        self.sent += 1
        body = (self.text("devices/TempSensor/messages/events/") + struct.pack(">H", self.sent) +
                json.dumps({"n": self.sent}).encode())
        self.stream.sendall(b"\x32" + bytes([len(body)]) + body)
        answer = b""
        while len(answer) < 4:
            more = self.stream.recv(4 - len(answer))
            assert more, "the gateway has closed the connection"
            answer += more
        assert answer == b"\x40\x02" + struct.pack(">H", self.sent), answer


class Year(SystemTest):
    MOVES_CLOCK = True

    def setUp(self):
        super().setUp()
        self.ahead = 0
        self.chains = {}  # every chain that was made, by the text of its leaf

    # --- time

    def now(self):
        return time.time() + self.ahead

    def advance(self, seconds):
        self.ahead += seconds
        self.world.set_clock(f"{self.ahead}s")

    # --- what there is

    def build(self, rotate_key):
        w = self.world
        w.make_hub(days=3650)
        # The CA of this world plays the one that lies on the device: it has a path length left for the Edge CA.
        local_ca = (w.ca / "certs/my_optional_intermediate_CA.pem", w.ca / "private/my_optional_intermediate_CA.key.pem")
        renewal = f'auto_renew = {{ rotate_key = {rotate_key}, threshold = "80%", retry = "4%" }}'
        (w.edge_root / "etc/aziot").mkdir(parents=True, mode=0o700)
        config = w.edge_root / "etc/aziot/config.toml"
        config.write_text(f"""hostname = "{HOSTNAME}"
trust_bundle_cert = "file://{w.root}"
[provisioning]
source = "manual"
iothub_hostname = "{HUB_NAME}"
iothub_address = "127.0.0.1"
iothub_mqtt_port = {w.hub.port('MQTT_PORT')}
iothub_https_port = {w.hub.port('HTTPS_PORT')}
trusted_certs = ["file://{w.root}"]
device_id = "EdgeGateway"
[provisioning.authentication]
method = "x509"
[provisioning.authentication.identity_cert]
method = "local_ca"
common_name = "EdgeGateway"
expiry_days = 90
{renewal}
[cert_issuance.local_ca]
cert = "file://{local_ca[0]}"
pk = "file://{local_ca[1]}"
[edge_ca]
method = "local_ca"
expiry_days = 90
{renewal}
""")
        config.chmod(0o600)
        w.edge = w.process("edge", "edge", "run", "--root", w.edge_root).start()
        self.slot = "--primary-thumbprint"
        w.service("device", "create", "--device-id", "EdgeGateway", "--edge-enabled", "--auth-method", "x509_thumbprint",
                  self.slot, thumbprint(self.device_pem()[0]))
        w.edge.wait_for("module.environment_written")
        w.make_gateway()
        cert, key = w.issue("device", "TempSensor", None, "--days", "800")
        w.register_leaf("TempSensor", cert)
        device = Device(w.gateway.port("MQTT_PORT"), cert, key, w.root)
        self.addCleanup(device.close)
        return device

    def stored(self, stem):
        store = self.world.edge_root / "var/lib/aziot/certd/certs"
        return certificates(next(store.glob(f"{stem}-*.cer")).read_text())

    def device_pem(self):
        return self.stored("deviceid")

    def edge_ca_pem(self):
        return self.stored("aziotedgedca")

    def presented(self):
        """What the gateway shows to who connects now."""
        shown = run("openssl", "s_client", "-connect", f"127.0.0.1:{self.world.gateway.port('MQTT_PORT')}", "-servername",
                    HOSTNAME, "-showcerts", stdin="", check=False)
        return certificates(shown.stdout)

    def module_chain(self):
        """A server certificate of the workload API, asked for now."""
        environment = (self.world.edge_root / "var/lib/aziot/edged/env/edgeHub.env").read_text()
        generation = environment.split('IOTEDGE_MODULEGENERATIONID="')[1].split('"')[0]
        socket_path = self.world.edge_root / "var/lib/aziot/edged/mnt/edgeHub.sock"
        status, answer = ask(socket_path, "POST", f"/modules/%24edgeHub/genid/{generation}/certificate/server",
                             {"commonName": HOSTNAME}, "2020-07-07")
        self.assertEqual(status, 201, answer)
        return certificates(answer["certificate"])

    # --- what is expected of it

    def expect_good(self, chain, when):
        """`openssl verify` accepts a chain at a moment."""
        leaf = self.world.dir / "leaf.pem"
        above = self.world.dir / "above.pem"
        leaf.write_text(chain[0])
        above.write_text("".join(chain[1:]))
        done = run("openssl", "verify", "-attime", int(when), "-CAfile", self.world.root, "-untrusted", above, leaf,
                   check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def keep(self, chain):
        """Good now, and remembered to be looked at again."""
        self.expect_good(chain, self.now())
        self.chains[chain[0]] = chain

    def renewed(self, what, read, old):
        until(GENEROUS, f"renewal of the {what}", lambda: read()[0] != old)
        pem = read()[0]
        begin, end = dates(pem)
        self.assertLessEqual(abs(end - self.now() - 90 * DAY), 2 * STEP, what)
        self.assertLess(begin, self.now())

    def is_due(self, pem, share):
        begin, end = dates(pem)
        return self.now() >= begin + (end - begin) * share

    def register_next_certificate(self, mark):
        """The operator: the thumbprint that the log tells goes into the slot that is free."""
        line = self.world.edge.wait_for("certificate.announced", "register=", since=mark)
        announced = re.search(r"thumbprint=([0-9A-F]{64})", line).group(1)
        self.assertNotEqual(announced, thumbprint(self.device_pem()[0]), "the old one is kept until then")
        self.slot = "--secondary-thumbprint" if self.slot == "--primary-thumbprint" else "--primary-thumbprint"
        self.world.service("device", "update", "--device-id", "EdgeGateway", self.slot, announced)
        return announced

    def module_keys(self):
        shown = json.loads(self.world.service("module", "show", "--device-id", "EdgeGateway", "--module-id", "$edgeHub",
                                              "--output", "json").stdout)
        return shown["generationId"], shown["authentication"]["symmetricKey"]

    def live_a_year(self, rotate_key):
        device = self.build("true" if rotate_key else "false")
        keys = self.module_keys()
        own_keys = {"device": {public_key(self.device_pem()[0])}, "Edge CA": {public_key(self.edge_ca_pem()[0])}}
        count = {"device": 0, "Edge CA": 0, "server": 0}
        server = self.presented()[0]
        while self.ahead < 366 * DAY:
            old_device, old_ca = self.device_pem()[0], self.edge_ca_pem()[0]
            mark = self.world.edge.mark()
            self.advance(STEP)
            if self.is_due(old_ca, 0.8):
                self.renewed("Edge CA", self.edge_ca_pem, old_ca)
                count["Edge CA"] += 1
            if self.is_due(old_device, 0.8):
                announced = self.register_next_certificate(mark)
                self.assertEqual(self.device_pem()[0], old_device)
                self.advance(NEXT_OFFER)
                self.renewed("device certificate", self.device_pem, old_device)
                self.assertEqual(thumbprint(self.device_pem()[0]), announced)
                count["device"] += 1
            self.assertFalse(self.is_due(self.device_pem()[0], 0.9))
            self.assertFalse(self.is_due(self.edge_ca_pem()[0], 0.9))
            self.advance(NEXT_LOOK)
            until(GENEROUS, "the gateway's certificate under the Edge CA in use",
                  lambda: self.presented()[1] == self.edge_ca_pem()[0] and not self.is_due(self.presented()[0], 2 / 3))
            own_keys["device"].add(public_key(self.device_pem()[0]))
            own_keys["Edge CA"].add(public_key(self.edge_ca_pem()[0]))
            chain = self.presented()
            count["server"] += chain[0] != server
            server = chain[0]
            for each in (chain, self.device_pem(), self.edge_ca_pem(), self.module_chain()):
                self.keep(each)
            device.publish()
        for chain in self.chains.values():
            begin = max(dates(pem)[0] for pem in chain)
            end = dates(chain[0])[1]
            self.assertLessEqual(end, min(dates(pem)[1] for pem in chain), "nothing outlives its issuer")
            self.expect_good(chain, begin + 1)
            self.expect_good(chain, end - 1)
        self.assertGreaterEqual(count["Edge CA"], 4)
        self.assertGreaterEqual(count["device"], 4)
        self.assertGreaterEqual(count["server"], 10)
        for what, all_keys in own_keys.items():
            self.assertEqual(len(all_keys), count[what] + 1 if rotate_key else 1, what)
        self.assertEqual(self.module_keys(), keys, "module keys outlive the device's certificates")
        self.assertNotIn("session.ended", self.world.gateway.text())
        device.publish()
        until(GENEROUS, "the last message at the hub", lambda: {"n": device.sent} in [
            json.loads(line)["event"]["payload"] for line in self.world.service(
                "monitor", "--from-beginning", "--output", "json", "--timeout", "2", check=False).stdout.splitlines()])

    def test_all_certificates_are_renewed_with_new_keys_and_no_connection_drops(self):
        self.live_a_year(rotate_key=True)

    def test_keys_stay_for_a_year_where_they_are_not_rotated(self):
        self.live_a_year(rotate_key=False)

    def test_an_expired_device_certificate_stops_nothing_local_and_heals_without_a_restart(self):
        device = self.build("true")
        keys = self.module_keys()
        old = self.device_pem()[0]
        mark = self.world.edge.mark()
        self.advance(91 * DAY)
        self.world.edge.wait_for("certificate.announced", since=mark)
        until(GENEROUS, "the Edge CA", lambda: not self.is_due(self.edge_ca_pem()[0], 0.8))
        device.publish()
        self.expect_good(self.module_chain(), self.now())
        identity = self.world.edge_root / "run/aziot/identityd.sock"
        module = {"type": "aziot", "moduleId": "mod1"}
        status, answer = ask(identity, "POST", "/identities/modules", module)
        self.assertEqual(status, 404)
        self.assertIn("has expired at", answer["message"])
        self.assertIn("certificate.renewal_failed", answer["message"])
        self.assertEqual(ask(identity, "POST", "/identities/device", {"type": "aziot"})[0], 200)
        self.assertEqual(self.device_pem()[0], old)
        self.register_next_certificate(mark)
        self.advance(NEXT_OFFER)
        self.renewed("device certificate", self.device_pem, old)
        status, answer = ask(identity, "POST", "/identities/modules", module)
        self.assertEqual(status, 200, answer)
        self.assertEqual(self.module_keys(), keys)
        device.publish()


if __name__ == "__main__":
    unittest.main(verbosity=2)
