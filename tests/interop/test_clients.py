# SPDX-License-Identifier: Apache-2.0
"""Other people's clients, unmodified: openssl s_client, mosquitto_pub, mosquitto_sub."""

import base64
import unittest

from harness import HUB_NAME, SystemTest, run, until
from sas import token as sas_token


class MosquittoAtTheHub(SystemTest):
    def setUp(self):
        super().setUp()
        self.world.make_hub()
        self.port = self.world.hub.port("MQTT_PORT")

    def pub(self, device, cert, key, *more, **options):
        return self.world.mosquitto_pub(device, self.port, cert, key, '{"t":21}', *more, **options)

    def test_either_thumbprint_in_any_spelling_is_accepted(self):
        w = self.world
        first, second = w.issue("device", "d1"), w.issue("device", "d1", "d1-next")
        w.service("device", "create", "--device-id", "d1", "--auth-method", "x509_thumbprint", "--primary-thumbprint",
                  w.thumbprint(first[0]).lower(), "--secondary-thumbprint", w.thumbprint(second[0]).replace(":", ""))
        self.pub("d1", *first)
        self.pub("d1", *second)
        self.assertEqual(len(w.events(2)), 2)

    def test_unknown_thumbprint_is_refused(self):
        w = self.world
        right, wrong = w.issue("device", "d1"), w.issue("device", "d1", "d1-wrong")
        w.register_leaf("d1", right[0], parent=None)
        refused = self.pub("d1", *wrong, check=False)
        self.assertIn("not authorised", refused.stderr)
        w.hub.wait_for("session.refused", "device=d1", "leaf.thumbprint")

    def test_device_id_that_differs_is_refused(self):
        w = self.world
        cert, key = w.issue("device", "d1")
        w.register_leaf("d1", cert, parent=None)
        other = w.issue("device", "d2")
        w.register_leaf("d2", other[0], parent=None)
        refused = self.pub("d2", cert, key, check=False)
        self.assertIn("not authorised", refused.stderr)

    def test_self_signed_certificate_is_accepted_by_its_thumbprint(self):
        w = self.world
        cert, key = w.dir / "self.pem", w.dir / "self.key"
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "30",
            "-subj", "/CN=whatever")
        w.register_leaf("d1", cert, parent=None)
        self.pub("d1", cert, key)
        self.assertEqual(w.events(1)[0]["origin"], "d1")

    def test_expired_certificate_is_refused_though_its_thumbprint_is_right(self):
        w = self.world
        cert, key, csr = w.dir / "old.pem", w.dir / "old.key", w.dir / "old.csr"
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
            "-out", csr, "-subj", "/CN=d1")
        run("openssl", "x509", "-req", "-in", csr, "-signkey", key, "-out", cert, "-days", "-1")
        w.register_leaf("d1", cert, parent=None)
        refused = self.pub("d1", cert, key, check=False)
        self.assertIn("not authorised", refused.stderr)
        w.hub.wait_for("session.refused", "device=d1", "leaf.validity")

    def test_sas_token_of_the_device_is_accepted_and_a_wrong_one_is_not(self):
        w = self.world
        w.service("device", "create", "--device-id", "d1")
        key = w.show_device("d1")["authentication"]["symmetricKey"]["primaryKey"]

        def publish(token):
            return run("mosquitto_pub", "-h", "127.0.0.1", "-p", self.port, "-V", "mqttv311", "-i", "d1", "-u",
                       f"{HUB_NAME}/d1/?api-version=2021-04-12", "-P", token, "--cafile", w.root, "-t",
                       "devices/d1/messages/events/", "-m", "text, not JSON", "-q", "1", check=False)

        accepted = publish(sas_token(f"{HUB_NAME}/devices/d1", key))
        self.assertEqual(accepted.returncode, 0, accepted.stderr)
        self.assertEqual(w.events(1)[0]["payload"], "text, not JSON")
        wrong = base64.b64encode(b"x" * 32).decode()
        self.assertIn("not authorised", publish(sas_token(f"{HUB_NAME}/devices/d1", wrong)).stderr)
        self.assertIn("not authorised", publish(sas_token(f"{HUB_NAME}/devices/d2", key)).stderr)
        self.assertIn("not authorised", publish(sas_token(f"{HUB_NAME}/devices/d1", key, -3600)).stderr)

    def test_ca_authentication_follows_the_uploaded_ca(self):
        w = self.world
        cert, key = w.issue("device", "d1")
        w.service("device", "create", "--device-id", "d1", "--auth-method", "x509_ca")
        self.assertIn("not authorised", self.pub("d1", cert, key, check=False).stderr)
        w.service("certificate", "create", "--name", "root", "--path", w.root, "--verified", "true")
        self.pub("d1", cert, key)
        other = w.issue("device", "d2")
        w.service("device", "create", "--device-id", "d2", "--auth-method", "x509_ca")
        self.assertIn("not authorised", self.pub("d2", cert, key, check=False).stderr)
        w.hub.wait_for("session.refused", "device=d2", "leaf.common_name")
        w.service("certificate", "delete", "--name", "root")
        self.assertIn("not authorised", self.pub("d1", cert, key, check=False).stderr)
        del other

    def test_edge_device_by_ca_is_refused_by_the_registry_with_the_reason(self):
        refused = self.world.service("device", "create", "--device-id", "e1", "--edge-enabled", "--auth-method", "x509_ca",
                                     check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("certificateAuthority", refused.stderr)
        self.assertIn("iotEdge", refused.stderr)

    def test_own_filter_is_granted_and_a_foreign_one_refused(self):
        w = self.world
        cert, key = w.issue("device", "d1")
        w.register_leaf("d1", cert, parent=None)

        def subscribe(topic):
            return run("mosquitto_sub", "-h", "127.0.0.1", "-p", self.port, "-V", "mqttv311", "-i", "d1", "-u",
                       f"{HUB_NAME}/d1/?api-version=2021-04-12", "--cafile", w.root, "--cert", cert, "--key", key,
                       "-t", topic, "-q", "1", "-d", "-E", check=False)

        granted = subscribe("devices/d1/messages/devicebound/#")
        self.assertIn("QoS 1", granted.stdout.replace("Subscribed (mid: 1): 1", "QoS 1"))
        refused = subscribe("devices/d2/messages/devicebound/#")
        self.assertIn("128", refused.stdout + refused.stderr)

    def test_publishing_to_another_devices_topic_ends_the_connection(self):
        w = self.world
        cert, key = w.issue("device", "d1")
        w.register_leaf("d1", cert, parent=None)
        refused = self.pub("d1", cert, key, topic="devices/d2/messages/events/", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.pub("d1", cert, key)
        self.assertEqual([e["origin"] for e in w.events(1)], ["d1"])

    def test_properties_reach_the_monitor(self):
        w = self.world
        cert, key = w.issue("device", "d1")
        w.register_leaf("d1", cert, parent=None)
        self.pub("d1", cert, key, topic="devices/d1/messages/events/%24.mid=id%201&%24.ct=application%2Fjson&alert=a%26b")
        properties = w.events(1)[0]["properties"]
        self.assertEqual(properties["application"], {"alert": "a&b"})
        self.assertEqual(properties["system"]["message-id"], "id 1")


class ClientsAtTheGateway(SystemTest):
    def setUp(self):
        super().setUp()
        w = self.world
        w.make_hub()
        w.make_edge()
        w.make_gateway()
        self.port = w.gateway.port("MQTT_PORT")

    def await_known(self, attempt):
        return until(60, "the gateway knowing the device", lambda: attempt().returncode == 0)

    def test_mosquitto_pub_with_a_device_certificate(self):
        w = self.world
        cert, key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", cert)
        self.await_known(lambda: run(
            "mosquitto_pub", "-h", "127.0.0.1", "--insecure", "-p", self.port, "-V", "mqttv311", "-i", "TempSensor", "-u",
            f"{HUB_NAME}/TempSensor/?api-version=2021-04-12", "--cafile", w.root, "--cert", cert, "--key", key, "-t",
            "devices/TempSensor/messages/events/", "-m", '{"temperature":21}', "-q", "1", check=False))
        self.assertEqual(w.events(1)[0]["payload"], {"temperature": 21})

    def test_sas_token_and_ca_authentication_at_the_gateway(self):
        w = self.world
        w.service("certificate", "create", "--name", "root", "--path", w.root, "--verified", "true")
        w.service("device", "create", "--device-id", "sas1", "--parent", "EdgeGateway")
        w.service("device", "create", "--device-id", "ca1", "--auth-method", "x509_ca", "--parent", "EdgeGateway")
        key = w.show_device("sas1")["authentication"]["symmetricKey"]["primaryKey"]
        common = ["-h", "127.0.0.1", "--insecure", "-p", self.port, "-V", "mqttv311", "--cafile", w.root, "-q", "1"]
        self.await_known(lambda: run(
            "mosquitto_pub", *common, "-i", "sas1", "-u", f"{HUB_NAME}/sas1/?api-version=2021-04-12", "-P",
            sas_token(f"{HUB_NAME}/devices/sas1", key), "-t", "devices/sas1/messages/events/", "-m", "1", check=False))
        cert, cert_key = w.issue("device", "ca1")
        self.await_known(lambda: run(
            "mosquitto_pub", *common, "-i", "ca1", "-u", f"{HUB_NAME}/ca1/?api-version=2021-04-12", "--cert", cert, "--key",
            cert_key, "-t", "devices/ca1/messages/events/", "-m", "2", check=False))
        # Messages of different devices may overtake each other; those of one device may not.
        self.assertEqual(sorted((e["origin"], e["payload"]) for e in w.events(2)), [("ca1", 2), ("sas1", 1)])


class OpensslClient(SystemTest):
    """The habits of hub.md 1, at both ports."""

    def setUp(self):
        super().setUp()
        self.world.make_hub()

    def s_client(self, port, *more):
        shown = run("openssl", "s_client", "-connect", f"127.0.0.1:{self.world.hub.port(port)}", "-CAfile",
                    self.world.root, *more, stdin="", check=False)
        return shown.returncode, shown.stdout + shown.stderr

    def at_both_ports(self, *more):
        return [self.s_client(port, *more) for port in ("MQTT_PORT", "HTTPS_PORT")]

    def test_asks_for_a_client_certificate_without_naming_authorities(self):
        for version in ("-tls1_2", "-tls1_3"):
            for code, text in self.at_both_ports(version, "-servername", HUB_NAME):
                self.assertEqual(code, 0, text)
                self.assertIn("Verify return code: 0 (ok)", text)
                self.assertIn("No client certificate CA names sent", text)
                self.assertIn("Requested Signature Algorithms", text)

    def test_tls_1_0_and_1_1_are_refused(self):
        for version in ("-tls1", "-tls1_1"):
            for code, text in self.at_both_ports(version, "-cipher", "ALL:@SECLEVEL=0"):
                self.assertNotEqual(code, 0)
                self.assertIn("alert protocol version", text)

    def test_tls_1_2_has_forward_secrecy_and_an_aead_or_nothing(self):
        for cipher in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"):
            for code, text in self.at_both_ports("-tls1_2", "-cipher", cipher):
                self.assertEqual(code, 0, text)
                self.assertIn(f"Cipher is {cipher}", text)
        for cipher in ("AES128-GCM-SHA256", "ECDHE-ECDSA-NULL-SHA", "AECDH-NULL-SHA"):
            for code, text in self.at_both_ports("-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0"):
                self.assertNotEqual(code, 0)
                self.assertIn("handshake failure", text)

    def test_alpn_is_http_1_1_where_offered_and_no_condition(self):
        _, text = self.s_client("HTTPS_PORT", "-alpn", "h2,http/1.1")
        self.assertIn("ALPN protocol: http/1.1", text)
        for offered in ([], ["-alpn", "h2"], ["-alpn", "mqtt"]):
            for code, text in self.at_both_ports(*offered):
                self.assertEqual(code, 0, text)
                self.assertIn("No ALPN negotiated", text)

    def test_unknown_and_missing_server_names_get_the_certificate(self):
        for name in (["-servername", "somebody.else"], ["-noservername"]):
            for code, text in self.at_both_ports(*name):
                self.assertEqual(code, 0, text)
                self.assertIn(f"CN = {HUB_NAME}", text)

    def test_a_small_device_gets_its_fragment_length(self):
        for length in ("512", "4096"):
            for code, text in self.at_both_ports("-tls1_2", "-maxfraglen", length):
                self.assertEqual(code, 0, text)
                self.assertIn("Verify return code: 0 (ok)", text)

    def test_the_chain_comes_without_its_root_and_no_ticket_is_given(self):
        for version in ("-tls1_2", "-tls1_3"):
            for code, text in self.at_both_ports(version, "-showcerts"):
                self.assertEqual(code, 0, text)
                self.assertNotIn("s:CN = my_private_root_CA", text)
                self.assertNotIn("TLS session ticket:", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
