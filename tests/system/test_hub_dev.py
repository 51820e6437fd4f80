# SPDX-License-Identifier: Apache-2.0
"""`sallyport hub dev`: one command, no configuration, and a hub that programs of others can use at once."""

import json
import os
import pathlib
import shutil
import socket
import ssl
import stat
import subprocess
import tempfile
import unittest

from dev_hub import NAMES, DevHub, parse
from harness import GENEROUS, SALLYPORT, free_port, run, sallyport, until

class Dev(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.hubs = []
        self.addCleanup(lambda: [hub.stop() for hub in self.hubs if hub.process.returncode is None])

    def dev(self, *options, data=None, **more):
        hub = DevHub(data or self.dir / "hub", *options, **more)
        self.hubs.append(hub)
        return hub

    def fail_to_start(self, *options, check=None):
        done = run(SALLYPORT, "hub", "dev", "--data", self.dir / "second", *options, check=False)
        self.assertEqual(done.stdout, "")
        return done.returncode, done.stderr

    def test_one_command_makes_and_serves_a_hub(self):
        hub = self.dev()
        self.assertEqual(list(hub.values), NAMES)
        self.assertEqual(hub.lines[-1], "SALLYPORT_READY=1")
        self.assertEqual(hub.values["IOTHUB_HOSTNAME"], "localhost")
        self.assertTrue(hub.values["IOTHUB_CONNECTION_STRING"].startswith(
            f"HostName=localhost:{hub.values['IOTHUB_HTTPS_PORT']};SharedAccessKeyName=iothubowner;SharedAccessKey="))
        self.assertIn("IOTHUB_CONNECTION_STRING='HostName=", "\n".join(hub.lines))
        for name in ("localhost", "127.0.0.1"):
            self.assertEqual(hub.ask("/devices?api-version=2021-04-12", name), (200, b"[]"))
        hub.command("device", "create", "--device-id", "TempSensor")
        self.assertEqual(json.loads(hub.ask("/devices/TempSensor?api-version=2021-04-12")[1])["deviceId"], "TempSensor")
        self.assertEqual(hub.stop(), 0)

    def test_a_shell_can_source_what_it_prints(self):
        hub = self.dev()
        shown = run("sh", "-c", 'eval "$1"; printf "%s\\n" "$IOTHUB_CONNECTION_STRING" "$SALLYPORT_READY"', "sh",
                    "\n".join(hub.lines)).stdout.splitlines()
        self.assertEqual(shown, [hub.values["IOTHUB_CONNECTION_STRING"], "1"])

    def test_json_has_the_same_names_in_one_object(self):
        file = self.dir / "dev.env"
        hub = self.dev("--env-file", file, output="json")
        self.assertEqual(len(hub.lines), 1)
        self.assertEqual(list(hub.values), NAMES)
        until(GENEROUS, "the file", file.exists)
        self.assertEqual(parse(file.read_text().splitlines()), hub.values)
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)

    def test_it_listens_on_loopback_alone_and_serves_ipv6_there(self):
        hub = self.dev()
        for port in ("IOTHUB_MQTT_PORT", "IOTHUB_HTTPS_PORT"):
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.2", int(hub.values[port])), timeout=GENEROUS)
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            return
        context = ssl.create_default_context(cafile=hub.values["IOTHUB_CA_FILE"])
        with socket.create_connection(("::1", int(hub.values["IOTHUB_MQTT_PORT"])), timeout=GENEROUS) as plain:
            with context.wrap_socket(plain, server_hostname="::1") as secured:
                self.assertIn(("IP Address", "0:0:0:0:0:0:0:1"), secured.getpeercert()["subjectAltName"])

    def certificate_names(self, hub):
        text = run("openssl", "x509", "-in", self.dir / "hub" / "hub.pem", "-noout", "-ext", "subjectAltName").stdout
        return {part.strip() for part in text.split("\n", 1)[1].split(",")}

    def test_a_restart_keeps_keys_devices_and_certificates_and_a_new_name_makes_a_new_certificate(self):
        hub = self.dev()
        hub.command("device", "create", "--device-id", "TempSensor")
        kept = [self.dir / "hub" / name for name in ("hub.pem", "hub.key", "ca/private/sallyport-hub-dev-ca.key.pem")]
        before = [file.read_bytes() for file in kept]
        key = hub.values["IOTHUB_CONNECTION_STRING"].split("SharedAccessKey=")[1]
        self.assertEqual(self.certificate_names(hub) - {f"DNS:{socket.gethostname()}"},
                         {"DNS:localhost", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1"})
        self.assertEqual(hub.stop(), 0)

        again = self.dev()
        self.assertEqual([file.read_bytes() for file in kept], before)
        self.assertEqual(again.values["IOTHUB_CONNECTION_STRING"].split("SharedAccessKey=")[1], key)
        self.assertEqual(json.loads(again.ask("/devices/TempSensor?api-version=2021-04-12")[1])["status"], "enabled")
        again.stop()

        named = self.dev("--hostname", "contosoiothub.local", "--hostname", "127.0.0.9")
        self.assertEqual(named.values["IOTHUB_HOSTNAME"], "contosoiothub.local")
        self.assertIn("HostName=contosoiothub.local:", named.values["IOTHUB_CONNECTION_STRING"])
        self.assertLessEqual({"DNS:contosoiothub.local", "IP Address:127.0.0.9", "DNS:localhost"},
                             self.certificate_names(named))
        self.assertEqual(kept[2].read_bytes(), before[2], "the CA stays")
        self.assertEqual(named.values["IOTHUB_CONNECTION_STRING"].split("SharedAccessKey=")[1], key)
        self.assertEqual(named.ask("/devices?api-version=2021-04-12")[0], 200)

    def test_ports_stay_where_they_are_asked_for(self):
        mqtt, https = str(free_port()), str(free_port())
        hub = self.dev("--listen", "127.0.0.1", ports=(mqtt, https))
        self.assertEqual((hub.values["IOTHUB_MQTT_PORT"], hub.values["IOTHUB_HTTPS_PORT"]), (mqtt, https))

    def test_a_busy_port_is_one_line_with_the_option_that_helps(self):
        hub = self.dev()
        for option, other in (("--mqtt-port", "--https-port"), ("--https-port", "--mqtt-port")):
            port = hub.values["IOTHUB_MQTT_PORT"]
            code, said = self.fail_to_start(option, port, other, "0")
            self.assertEqual(code, 1)
            self.assertEqual(len(said.splitlines()), 1, said)
            self.assertIn(f"port {port} is taken", said)
            self.assertIn(f"{option} N", said)

    @unittest.skipIf(int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 443,
                     "here any user may listen on 443")
    def test_a_forbidden_port_is_one_line_with_the_option_that_helps(self):
        argv = [SALLYPORT, "hub", "dev", "--data", str(self.dir / "second"), "--mqtt-port", "0"]
        if os.geteuid() == 0:
            self.dir.chmod(0o777)
            argv = ["setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", *argv]
        done = run(*argv, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("port 443 is privileged", done.stderr)
        self.assertIn("--https-port N", done.stderr)

    def test_wrong_usage_is_exit_code_2(self):
        for options in (["--hostname", "a b"], ["--hostname", "*.contoso.com"], ["--hostname", ""],
                        ["--listen", "contoso.com"], ["--output", "xml"]):
            self.assertEqual(self.fail_to_start(*options, "--mqtt-port", "0", "--https-port", "0")[0], 2, options)
        self.assertFalse((self.dir / "second").exists(), "nothing was made")

    def test_a_second_hub_on_the_same_directory_is_refused(self):
        hub = self.dev()
        done = run(*hub.argv, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"process {hub.process.pid}", done.stderr)

    def test_the_directory_of_a_hub_that_was_made_otherwise_is_left_alone(self):
        sallyport("hub", "init", "--data", self.dir / "second", "--name", "ContosoIotHub")
        before = (self.dir / "second/hub.toml").read_text()
        code, said = self.fail_to_start("--mqtt-port", "0", "--https-port", "0")
        self.assertEqual(code, 1)
        self.assertIn("hub run", said)
        self.assertEqual((self.dir / "second/hub.toml").read_text(), before)

    def test_the_directory_by_default_is_below_the_state_directory_of_the_user(self):
        state = self.dir / "state"
        process = subprocess.Popen([SALLYPORT, "hub", "dev", "--mqtt-port", "0", "--https-port", "0"],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                   env={**os.environ, "XDG_STATE_HOME": str(state)})
        lines = [process.stdout.readline() for _ in NAMES]
        process.terminate()
        self.assertEqual(process.wait(GENEROUS), 0)
        process.stdout.close()
        self.assertTrue((state / "sallyport/hub-dev/registry.db").exists())
        self.assertTrue(parse(lines)["IOTHUB_CA_FILE"].startswith(str(state)))

    def write_seed(self, items):
        file = self.dir / "seed.json"
        file.write_text(items if isinstance(items, str) else json.dumps(items))
        return file

    def test_a_seed_is_there_before_the_hub_says_that_it_serves(self):
        key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
        seed = self.write_seed([
            {"id": "EdgeGateway", "capabilities": {"iotEdge": True}},
            {"id": "EdgeGateway", "moduleId": "$edgeHub",
             "authentication": {"type": "sas", "symmetricKey": {"primaryKey": key, "secondaryKey": key}}},
            {"id": "TempSensor", "importMode": "Create", "status": "disabled", "tags": {"floor": 3},
             "authentication": {"type": "sas", "symmetricKey": {"primaryKey": key, "secondaryKey": key}}},
            {"id": "TempSensor", "moduleId": "mod1"},
            {"id": "Twin", "tags": {"floor": 2}, "properties": {"desired": {"rate": 5}}},
        ])
        hub = self.dev("--seed", seed)

        def sensor():
            return json.loads(hub.ask("/devices/TempSensor?api-version=2021-04-12")[1])

        self.assertEqual(sensor()["authentication"]["symmetricKey"]["primaryKey"], key)
        self.assertEqual(sensor()["status"], "disabled")
        found = hub.command("query", "-q", "SELECT deviceId FROM devices WHERE tags.floor = 3").stdout
        self.assertEqual(found, '{"deviceId":"TempSensor"}\n')
        self.assertIn("totalDeviceCount: 3", hub.command("statistics").stdout)
        shown = json.loads(hub.command("module", "list", "-d", "TempSensor", "-o", "json").stdout)
        self.assertEqual([module["moduleId"] for module in shown], ["mod1"])
        edge_hub = json.loads(hub.command("module", "show", "-d", "EdgeGateway", "-m", "$edgeHub", "-o", "json").stdout)
        self.assertEqual(edge_hub["authentication"]["symmetricKey"]["primaryKey"], key)
        twin = json.loads(hub.ask("/twins/Twin?api-version=2021-04-12")[1])
        self.assertEqual((twin["tags"], twin["properties"]["desired"]["rate"]), ({"floor": 2}, 5))
        hub.command("device", "update", "-d", "TempSensor", "--status", "enabled")
        hub.stop()
        hub = self.dev("--seed", seed)
        self.assertEqual(sensor()["status"], "enabled", "what exists is left as it is")

    def test_a_bad_seed_is_one_line_that_names_the_item(self):
        for items, words in (("{}", "is not an array"), ("[", "seed.json"), ([7], "[0]"),
                             ([{"id": "a"}, {"id": "b c"}], "b c"), ([{"id": "a", "status": "on"}], "status"),
                             ([{"id": "ghost", "moduleId": "m"}], "ghost/m"), ([{"status": "enabled"}], "device id"),
                             ([{"id": "ghost", "importMode": "delete"}], "ghost:"),
                             ([{"id": "a"}, {"id": "a"}], "more than once")):
            code, said = self.fail_to_start("--seed", self.write_seed(items), "--mqtt-port", "0", "--https-port", "0")
            self.assertEqual(code, 1, items)
            self.assertEqual(len(said.splitlines()), 1, said)
            self.assertIn(words, said)

    def test_a_seed_of_nothing_and_one_that_takes_away_are_fine(self):
        hub = self.dev("--seed", self.write_seed([]))
        hub.command("device", "create", "-d", "old")
        hub.stop()
        hub = self.dev("--seed", self.write_seed([{"id": "old", "importMode": "delete"}, {"id": "new"}]))
        shown = json.loads(hub.ask("/devices?api-version=2021-04-12")[1])
        self.assertEqual([device["deviceId"] for device in shown], ["new"])

    def test_hub_run_serves_the_directory_of_hub_dev(self):
        dev = self.dev()
        dev.command("device", "create", "-d", "TempSensor")
        dev.stop()
        ready = self.dir / "ready"
        process = subprocess.Popen([SALLYPORT, "hub", "run", "--data", self.dir / "hub", "--mqtt-port", "0",
                                    "--https-port", "0", "--ready-file", ready], stderr=subprocess.DEVNULL)
        try:
            until(GENEROUS, "serving", ready.exists)
            dev.values["IOTHUB_HTTPS_PORT"] = parse(ready.read_text().splitlines())["HTTPS_PORT"]
            self.assertEqual(dev.ask("/devices/TempSensor?api-version=2021-04-12")[0], 200)
        finally:
            process.terminate()
            process.wait(GENEROUS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
