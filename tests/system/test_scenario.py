# SPDX-License-Identifier: Apache-2.0
"""The main job with real processes: hub, edge device, gateway, downstream device."""

import json
import os
import re
import unittest

from harness import HOSTNAME, HUB_NAME, SystemTest, run, sallyport, until


class Scenario(SystemTest):
    def build(self):
        w = self.world
        w.make_hub()
        w.make_edge()
        self.cert, self.key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", self.cert)
        w.make_gateway()
        return w

    def test_telemetry_arrives_attributed_to_the_device(self):
        w = self.build()
        w.sensor("TempSensor", self.cert, self.key, "--count", "3")
        events = w.events(3)
        self.assertEqual([e["origin"] for e in events], ["TempSensor"] * 3)
        self.assertEqual([e["payload"]["sequence"] for e in events], [1, 2, 3])
        annotations = events[0]["properties"]["annotations"]
        self.assertEqual(annotations["iothub-connection-device-id"], "TempSensor")
        # It came in by the credential of the gateway, the module $edgeHub.
        self.assertEqual(json.loads(annotations["iothub-connection-auth-method"])["scope"], "module")

    def test_gateway_presents_leaf_edge_ca_and_intermediate_but_not_the_root(self):
        w = self.build()
        shown = run("openssl", "s_client", "-connect", f"127.0.0.1:{w.gateway.port('MQTT_PORT')}", "-servername", HOSTNAME,
                    "-CAfile", w.root, "-showcerts", stdin="")
        text = shown.stdout + shown.stderr
        for depth in range(4):
            self.assertRegex(text, rf"depth={depth} [^\n]*\nverify return:1")
        self.assertIn("Verify return code: 0 (ok)", text)
        self.assertEqual(shown.stdout.count("BEGIN CERTIFICATE"), 3)
        subjects = re.findall(r"^ *\d+ s:CN = (.*)$", text, re.M)
        self.assertEqual(subjects, [HOSTNAME, "iotedged workload ca edgegateway", "my_optional_intermediate_CA"])

    def test_fingerprint_of_the_identity_is_the_one_the_hub_shows(self):
        w = self.build()
        cert = next((w.edge_root / "var/lib/aziot/certd/certs").glob("deviceid-*.cer"))
        shown = w.show_device("EdgeGateway")
        self.assertEqual(shown["authentication"]["x509Thumbprint"]["primaryThumbprint"],
                         w.thumbprint(cert).replace(":", ""))

    def test_messages_taken_while_the_hub_is_away_arrive_in_order(self):
        w = self.build()
        w.sensor("TempSensor", self.cert, self.key, "--count", "1")
        w.events(1)
        w.hub.stop()
        w.sensor("TempSensor", self.cert, self.key, "--count", "5")
        w.gateway.stop()
        w.gateway.start()
        w.sensor("TempSensor", self.cert, self.key, "--count", "2")
        w.hub.start()
        sequences = [e["payload"]["sequence"] for e in w.events(8)]
        self.assertEqual(sequences, [1, 1, 2, 3, 4, 5, 1, 2])

    def test_gateway_refuses_a_device_that_its_cache_does_not_know(self):
        w = self.build()
        cert, key = w.issue("device", "Stranger")
        w.hub.stop()
        refused = w.sensor("Stranger", cert, key, "--count", "1", check=False)
        self.assertEqual(refused.returncode, 1, refused.stdout + refused.stderr)
        w.gateway.wait_for("session.refused", "device=Stranger", "identity.registered")

    def test_gateway_killed_while_the_hub_is_away_loses_nothing_it_acknowledged(self):
        w = self.build()
        w.hub.stop()
        w.sensor("TempSensor", self.cert, self.key, "--count", "4")
        w.gateway.kill()
        w.hub.start()
        w.gateway.start()
        self.assertEqual([e["payload"]["sequence"] for e in w.events(4)], [1, 2, 3, 4])

    def test_hub_killed_after_puback_still_has_the_message(self):
        w = self.world
        w.make_hub()
        cert, key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", cert, parent=None)
        w.mosquitto_pub("TempSensor", w.hub.port("MQTT_PORT"), cert, key, '{"n":1}')
        w.hub.kill()
        w.hub.start()
        self.assertEqual(w.events(1)[0]["payload"], {"n": 1})

    def test_hub_and_gateway_killed_while_the_gateway_forwards_lose_nothing(self):
        w = self.build()
        w.hub.stop()
        w.sensor("TempSensor", self.cert, self.key, "--count", "400", "--interval-ms", "0")
        mark = w.gateway.mark()
        w.hub.start()
        w.gateway.wait_for("upstream.opened", since=mark)
        w.hub.kill()
        w.gateway.kill()
        w.hub.start()
        w.gateway.start()

        def all_there():
            shown = w.service("monitor", "--from-beginning", "--output", "json", "--timeout", "1", check=False).stdout
            return [json.loads(line)["event"]["payload"]["sequence"] for line in shown.splitlines()]

        until(60, "all readings at the hub", lambda: set(all_there()) == set(range(1, 401)))
        firsts = list(dict.fromkeys(all_there()))  # at least once: a repetition is allowed, a wrong order is not
        self.assertEqual(firsts, sorted(firsts))

    def test_hub_is_judged_by_the_os_trust_store_where_no_trusted_certs_are_named(self):
        w = self.world
        w.make_hub()
        os.environ["SSL_CERT_FILE"] = str(w.root)
        self.addCleanup(os.environ.pop, "SSL_CERT_FILE", None)
        w.make_edge(trusted_certs=False)
        w.edge.wait_for("server.accepted", f"name={HUB_NAME}")
        w.make_gateway()
        w.gateway.wait_for("server.accepted", f"name={HUB_NAME}")
        other = w.dir / "other"
        sallyport("ca", "init", "--data", other, "--root", "another_root_CA")
        os.environ["SSL_CERT_FILE"] = str(other / "certs" / "another_root_CA.pem")
        w.gateway.stop()
        mark = w.gateway.mark()
        w.gateway.start()  # from its cache
        w.gateway.wait_for("server.refused", "path.issuer", since=mark)
        refused = sallyport("hub", "device", "list", env={"IOTHUB_CONNECTION_STRING": w.connection_string}, check=False)
        self.assertEqual(refused.returncode, 3, refused.stderr)

    def test_client_that_dialled_another_name_refuses(self):
        w = self.build()
        refused = w.sensor("TempSensor", self.cert, self.key, "--count", "1", "--explain", check=False, name="other.local")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("other.local", refused.stdout + refused.stderr)

    def test_client_without_the_root_refuses(self):
        w = self.build()
        run_ca = w.dir / "other"
        sallyport("ca", "init", "--data", run_ca, "--root", "another_root_CA")
        refused = w.sensor("TempSensor", self.cert, self.key, "--count", "1", "--explain", check=False,
                           trust=run_ca / "certs" / "another_root_CA.pem")
        self.assertEqual(refused.returncode, 1)

    def test_quickstart_edge_ca_is_made_at_first_start(self):
        w = self.world
        w.make_hub()
        w.make_edge(edge_ca=False)
        cert, key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", cert)
        w.make_gateway()
        edge_ca = next((w.edge_root / "var/lib/aziot/certd/certs").glob("aziotedgedca-*.cer"))
        self.assertIn("iotedged workload ca edgegateway",
                      run("openssl", "x509", "-in", edge_ca, "-noout", "-subject").stdout)
        w.sensor("TempSensor", cert, key, "--count", "1", trust=edge_ca)
        self.assertEqual(w.events(1)[0]["origin"], "TempSensor")


class Ends(SystemTest):
    """What is taken away at the hub ends what lives on it."""

    def test_disabled_device_is_refused_at_hub_and_within_a_minute_at_the_gateway(self):
        w = self.world
        w.make_hub()
        w.make_edge()
        cert, key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", cert)
        w.make_gateway()
        w.sensor("TempSensor", cert, key, "--count", "1")
        w.service("device", "update", "--device-id", "TempSensor", "--status", "disabled")
        refused = w.mosquitto_pub("TempSensor", w.hub.port("MQTT_PORT"), cert, key, "{}", check=False)
        self.assertNotEqual(refused.returncode, 0)
        w.hub.wait_for("session.refused", "device=TempSensor", "identity.enabled")
        until(60, "the gateway's refusal",
              lambda: w.sensor("TempSensor", cert, key, "--count", "1", check=False).returncode == 1)
        w.gateway.wait_for("session.refused", "device=TempSensor", "identity.enabled")

    def test_device_that_gets_the_gateway_as_parent_is_adopted_within_a_minute(self):
        w = self.world
        w.make_hub()
        w.make_edge()
        w.make_gateway()
        cert, key = w.issue("device", "TempSensor")
        w.register_leaf("TempSensor", cert, parent=None)
        self.assertEqual(w.sensor("TempSensor", cert, key, "--count", "1", check=False).returncode, 1)
        w.service("device", "update", "--device-id", "TempSensor", "--parent", "EdgeGateway")
        until(60, "the adoption", lambda: w.sensor("TempSensor", cert, key, "--count", "1", check=False).returncode == 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
