# SPDX-License-Identifier: Apache-2.0
"""A certificate is revoked at the CA: hub and gateway cut its device off within a minute, and remember it alone."""

import json
import socket
import ssl
import struct
import unittest

from harness import HOSTNAME, HUB_NAME, SystemTest, free_port, run, sallyport, until


class CertificateSession:
    """One MQTT connection that is made with a certificate and says nothing, to see when it ends."""

    def __init__(self, test, port, name, device, pair):
        context = ssl.create_default_context(cafile=str(test.world.root))
        context.load_cert_chain(pair[0], pair[1])
        plain = socket.create_connection(("127.0.0.1", port), timeout=120)
        test.addCleanup(plain.close)
        self.socket = context.wrap_socket(plain, server_hostname=name)
        test.addCleanup(self.socket.close)
        body = b"\x00\x04MQTT\x04\x82" + struct.pack(">H", 0)
        for field in (device, f"{HUB_NAME}/{device}/?api-version=2021-04-12"):
            body += struct.pack(">H", len(field)) + field.encode()
        self.socket.sendall(b"\x10" + bytes([len(body)]) + body)
        self.accepted = self.socket.recv(4) == b"\x20\x02\x00\x00"

    def has_ended(self):
        """Waits for the end; nothing is sent meanwhile."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True


class Revocation(SystemTest):
    MOVES_CLOCK = True

    def setUp(self):
        super().setUp()
        w = self.world
        self.port = free_port()
        with open(w.ca / "ca.toml", "a") as config:
            config.write(f'\n[http]\nlisten = "127.0.0.1"\nport = {self.port}\n'
                         f'public_url = "http://127.0.0.1:{self.port}"\n')
        self.urls = f'crl_urls = ["http://127.0.0.1:{self.port}/crl/my_optional_intermediate_CA.crl"]\n'
        self.ca = w.process("ca", "ca", "run", "--data", w.ca, "--listen", "127.0.0.1", "--port", "0").start()

    def make_hub(self):
        w = self.world
        w.make_hub()
        w.hub.stop()
        config = w.dir / "hub/hub.toml"
        config.write_text(self.urls + config.read_text())
        w.hub.start()
        # The hub knows the root alone: the CRL tells where its issuer's certificate is.
        w.service("certificate", "create", "--name", "root", "--path", w.root, "--verified", "true")

    def device(self, name, *more):
        w = self.world
        pair = w.issue("device", name)
        w.service("device", "create", "--device-id", name, "--auth-method", "x509_ca", *more)
        return pair

    def revoke(self, pair, reason="keyCompromise"):
        mark = self.ca.mark()
        self.world.sallyport("ca", "revoke", "--data", self.world.ca, "--cert", pair[0], "--reason", reason)
        self.ca.wait_for("crl.published", since=mark)

    def at_hub(self, device, pair):
        return CertificateSession(self, self.world.hub.port("MQTT_PORT"), HUB_NAME, device, pair)

    def at_gateway(self, device, pair):
        return CertificateSession(self, self.world.gateway.port("MQTT_PORT"), HOSTNAME, device, pair)

    def test_revoked_devices_are_cut_off_at_hub_and_gateway_within_a_minute(self):
        w = self.world
        self.make_hub()
        direct, below, good = self.device("Direct"), None, self.device("Good")
        w.make_edge(first=self.urls)
        below = self.device("Below", "--parent", "EdgeGateway")
        w.make_gateway()
        until(60, "the gateway knowing Below", lambda: self.at_gateway("Below", below).accepted)
        sessions = [self.at_hub("Direct", direct), self.at_gateway("Below", below)]
        good_session = self.at_hub("Good", good)
        self.assertTrue(all(each.accepted for each in [*sessions, good_session]))
        marks = w.hub.mark(), w.gateway.mark()
        self.revoke(direct)
        self.revoke(below, "cessationOfOperation")
        w.set_clock("61s")
        for each in sessions:
            self.assertTrue(each.has_ended())
        w.hub.wait_for("session.ended", "Direct", "path.revocation", "keyCompromise", since=marks[0])
        w.gateway.wait_for("session.ended", "Below", "path.revocation", "cessationOfOperation", since=marks[1])
        self.assertFalse(self.at_hub("Direct", direct).accepted)
        self.assertFalse(self.at_gateway("Below", below).accepted)
        self.assertTrue(self.at_hub("Good", good).accepted)

        # Without CA and hub the gateway remembers, and says how old that is.
        self.ca.stop()
        w.hub.stop()
        w.gateway.stop()
        w.gateway.start()
        self.assertFalse(self.at_gateway("Below", below).accepted)
        w.set_clock("8d")
        checked = w.sallyport("check", "--root", w.edge_root, "--output", "json", check=False)
        found = next(each for each in json.loads(checked.stdout)["checks"] if each["id"] == "gateway-revocation")
        self.assertEqual(found["result"], "warning", found)
        self.assertIn("(2 revoked) is 8 days old", found["reason"])
        self.assertFalse(self.at_gateway("Below", below).accepted)

    def test_openssl_and_sallyport_agree_about_what_is_revoked(self):
        w = self.world
        pair = w.issue("device", "Sensor")
        intermediate = w.ca / "certs/my_optional_intermediate_CA.pem"
        shown = run("openssl", "x509", "-in", pair[0], "-noout", "-text").stdout
        self.assertIn(f"URI:http://127.0.0.1:{self.port}/crl/my_optional_intermediate_CA.crl", shown)
        self.assertIn(f"OCSP - URI:http://127.0.0.1:{self.port}/ocsp", shown)
        issuing, root = w.dir / "issuing.crl", w.dir / "root.crl"

        def judged():
            w.sallyport("ca", "crl", "--data", w.ca, "--out", issuing)
            w.sallyport("ca", "crl", "--data", w.ca, "--out", root, "--ca", "my_private_root_CA")
            both = w.dir / "both.crl"
            both.write_text(issuing.read_text() + root.read_text())
            by_openssl = run("openssl", "verify", "-crl_check_all", "-CAfile", w.root, "-untrusted", intermediate,
                             "-CRLfile", both, pair[0], check=False)
            by_us = sallyport("verify", "--trust", w.root, "--chain", pair[0], "--crl", issuing, "--crl", root,
                              "--output", "json", check=False)
            by_ocsp = run("openssl", "ocsp", "-url", f"http://127.0.0.1:{self.port}/ocsp", "-CAfile", w.root, "-issuer",
                          intermediate, "-cert", pair[0], "-verify_other", intermediate, check=False)
            return by_openssl, by_us, by_ocsp.stdout + by_ocsp.stderr

        by_openssl, by_us, by_ocsp = judged()
        self.assertEqual(by_openssl.returncode, 0, by_openssl.stderr)
        self.assertEqual(by_us.returncode, 0, by_us.stdout)
        self.assertIn("Response verify OK", by_ocsp)
        self.assertIn(": good", by_ocsp)
        self.revoke(pair)
        by_openssl, by_us, by_ocsp = judged()
        self.assertIn("certificate revoked", by_openssl.stderr + by_openssl.stdout)
        self.assertEqual(by_us.returncode, 1)
        failed = [each for each in json.loads(by_us.stdout)["steps"] if each["outcome"] == "failed"]
        self.assertEqual([each["check"] for each in failed], ["path.revocation"])
        self.assertIn(": revoked", by_ocsp)
        self.assertIn("Reason: keyCompromise", by_ocsp)
        # The same without a CA that runs.
        self.ca.stop()
        w.sallyport("ca", "crl", "--data", w.ca, "--out", w.dir / "again.crl", "--der")
        checked = run("openssl", "crl", "-inform", "DER", "-in", w.dir / "again.crl", "-noout", "-verify", "-CAfile",
                      intermediate, check=False)
        self.assertIn("verify OK", checked.stderr)

    def test_crl_number_rises_over_kill_9(self):
        w = self.world

        def number():
            url = f"http://127.0.0.1:{self.port}/crl/my_optional_intermediate_CA.pem"
            pem = run("curl", "-sS", url).stdout
            shown = run("openssl", "crl", "-noout", "-crlnumber", stdin=pem).stdout
            return int(shown.split("=")[1], 16)

        seen = [number()]
        for name in ("a", "b", "c"):
            self.revoke(w.issue("device", name))
            seen.append(number())
            self.ca.kill()
            self.ca.start()
            self.assertGreaterEqual(number(), seen[-1])
        self.assertEqual(seen, sorted(set(seen)))


if __name__ == "__main__":
    unittest.main()
