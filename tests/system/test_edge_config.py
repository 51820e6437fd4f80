# SPDX-License-Identifier: Apache-2.0
"""`edge config`: checks, difference, taking over while the services run, and a first file."""

import json
import os
import pathlib
import stat
import unittest

from harness import HOSTNAME, HUB_NAME, SystemTest, sallyport


def services(pid):
    """The process of each service of an `edge run`."""
    out = {}
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        words = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        out[words[words.index(b"--service") + 1].decode()] = int(child)
    return out


class Config(SystemTest):
    def apply(self, *more, check=True):
        return sallyport("edge", "config", "apply", "--root", self.world.edge_root, *more, check=check)

    def apply_json(self, *more, check=True):
        return json.loads(self.apply("--output", "json", *more, check=check).stdout)

    def edit(self, before, after):
        config = self.world.edge_root / "etc/aziot/config.toml"
        text = config.read_text()
        self.assertIn(before, text)
        config.write_text(text.replace(before, after, 1))


class Apply(Config):
    def setUp(self):
        super().setUp()
        self.world.make_hub()
        self.edge = self.world.make_edge()

    def test_a_change_is_taken_over_by_the_services_that_it_concerns_and_by_no_other(self):
        before = services(self.edge.process.pid)
        same = self.apply_json()
        self.assertEqual((same["differences"], same["restarted"], same["takenOverBy"]), ([], [], "edge run"))
        self.assertEqual(services(self.edge.process.pid), before)
        self.edit("[provisioning]\n", "[iotedge_max_requests]\nworkload = 7\n[provisioning]\n")
        applied = self.apply_json()
        self.assertEqual(applied["differences"], [{"service": "workload", "key": "iotedge_max_requests.workload",
                                                   "before": "10", "after": "7"}])
        self.assertEqual(applied["restarted"], ["workload"])
        after = services(self.edge.process.pid)
        self.assertNotEqual(after.pop("workload"), before.pop("workload"))
        self.assertEqual(after, before)
        self.edge.wait_for("configuration.taken_over")
        # It serves: apply returned only then.
        self.assertTrue((self.world.edge_root / "var/lib/aziot/edged/mnt/edgeHub.sock").is_socket())

    def test_a_new_module_gets_its_socket_and_its_environment_without_a_restart_of_edge_run(self):
        w = self.world
        config = w.edge_root / "etc/aziot/config.d/10-module.toml"
        config.parent.mkdir()
        config.write_text(f'[[principal]]\nname = "mod1"\nuid = {os.geteuid()}\nidtype = ["module"]\n')
        text = self.apply().stdout
        self.assertIn("principal[mod1].uid: (none) ->", text)
        self.assertIn("edge run restarted identity, workload", text)
        self.assertTrue((w.edge_root / "var/lib/aziot/edged/mnt/mod1.sock").is_socket())
        self.assertIsNone(self.edge.process.poll())
        shown = json.loads(w.service("module", "show", "--device-id", "EdgeGateway", "--module-id", "mod1",
                                     "--output", "json").stdout)
        environment = w.edge_root / "var/lib/aziot/edged/env/mod1.env"
        self.edge.wait_for("module.environment_written", "module=mod1")
        self.assertIn(f'IOTEDGE_MODULEGENERATIONID="{shown["generationId"]}"', environment.read_text())

    def test_a_bad_configuration_changes_nothing_and_every_problem_is_told(self):
        files = {p: p.read_bytes() for p in (self.world.edge_root / "etc/aziot").rglob("00-super.toml")}
        before = services(self.edge.process.pid)
        self.edit(f'hostname = "{HOSTNAME}"', 'hostname = "edge_gateway"\nhostnam = "x"')
        refused = self.apply(check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("hostname is \"edge_gateway\", which contains an underscore", refused.stderr)
        self.assertIn("hostnam is not a known key: did you mean hostname?", refused.stderr)
        answer = self.apply_json(check=False)
        self.assertFalse(answer["valid"])
        self.assertEqual(len(answer["problems"]), 2)
        self.assertEqual({p: p.read_bytes() for p in files}, files)
        self.assertEqual(services(self.edge.process.pid), before)

    def test_certificates_are_judged_before_anything_is_written(self):
        w = self.world
        own = w.dir / "issued/edge-ca.key"
        other = w.issue("edge-ca", "iotedged workload ca edgegateway", "other-ca")
        self.edit(str(own), str(other[1]))
        self.assertIn("does not belong to the first certificate of", self.apply(check=False).stderr)
        self.edit(str(other[1]), str(own))
        self.edit(f'trust_bundle_cert = "file://{w.root}"\n', "")
        self.edit(f'trusted_certs = ["file://{w.root}"]\n', "")
        refused = self.apply(check=False)
        self.assertIn("has no complete chain", refused.stderr)
        self.assertEqual(refused.returncode, 1)

    def test_dry_run_shows_and_writes_nothing(self):
        self.edit(HOSTNAME, "other.local")
        text = self.apply("--dry-run").stdout
        self.assertIn(f'workload     hostname: "{HOSTNAME}" -> "other.local"', text)
        self.assertIn("nothing was written", text)
        self.assertIn(HOSTNAME, (self.world.edge_root / "etc/aziot/edged/config.d/00-super.toml").read_text())

    def test_without_edge_run_the_next_start_reads_it(self):
        self.edge.stop()
        self.edit(HOSTNAME, "other.local")
        text = self.apply().stdout
        self.assertIn("written; nothing runs", text)
        self.assertIn("sallyport gateway run, if it runs, must be started again", text)
        self.edge.start()
        self.assertIn("other.local", (self.world.edge_root / "var/lib/aziot/edged/env/edgeHub.env").read_text())

    def test_a_service_that_does_not_come_back_is_told(self):
        # The workload socket's place is taken by what cannot be replaced.
        self.edit("[provisioning]\n", "[iotedge_max_requests]\nworkload = 7\n[provisioning]\n")
        mount = self.world.edge_root / "var/lib/aziot/edged/mnt"
        moved = mount.with_name("moved")
        mount.rename(moved)
        mount.write_text("in the way")
        failed = self.apply(check=False)
        self.assertEqual(failed.returncode, 1)
        self.assertIn("ended while it took the configuration over", failed.stderr)
        self.assertEqual(self.edge.process.wait(60), 1)


class First(Config):
    """`config mp` and `config x509`, each to a device that runs."""

    def run_edge(self):
        edge = self.world.process("edge", "edge", "run", "--root", self.world.edge_root)
        edge.start()
        edge.wait_for("device.provisioned")
        return edge

    def test_config_mp_makes_a_device_that_comes_up(self):
        w = self.world
        w.make_hub()
        w.service("device", "create", "--device-id", "EdgeGateway", "--edge-enabled")
        key = w.show_device("EdgeGateway")["authentication"]["symmetricKey"]["primaryKey"]
        string = f"HostName={HUB_NAME}:{w.hub.port('HTTPS_PORT')};DeviceId=EdgeGateway;SharedAccessKey={key}"
        more = ["--root", w.edge_root, "--hostname", HOSTNAME, "--hub-ca", w.root, "--hub-address", "127.0.0.1",
                "--hub-mqtt-port", w.hub.port("MQTT_PORT")]
        said = sallyport("edge", "config", "mp", "--connection-string", string, *more)
        self.assertNotIn(key, said.stdout + said.stderr)
        config = w.edge_root / "etc/aziot/config.toml"
        self.assertEqual(stat.S_IMODE(config.stat().st_mode), 0o600)
        text = config.read_text()
        self.assertLess(text.index("trust_bundle_cert"), text.index("[edge_ca]"))
        self.assertLess(text.index("[edge_ca]"), text.index("[provisioning]"))
        again = sallyport("edge", "config", "mp", "--connection-string", string, *more, check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("--force", again.stderr)
        self.assertNotIn(key, self.apply().stdout)
        self.run_edge()

    def test_config_x509_makes_a_device_that_comes_up(self):
        w = self.world
        w.make_hub()
        identity = w.issue("device", "EdgeGateway", "edge-identity")
        w.register_edge(identity[0])
        ca = w.issue("edge-ca", "iotedged workload ca edgegateway", "edge-ca")
        arguments = ["edge", "config", "x509", "--root", w.edge_root, "--hostname", HOSTNAME, "--hub-hostname",
                     f"{HUB_NAME}:{w.hub.port('HTTPS_PORT')}", "--hub-address", "127.0.0.1", "--hub-ca", w.root,
                     "--device-id", "EdgeGateway", "--identity-cert", identity[0], "--trust-bundle-cert", w.root,
                     "--edge-ca-cert", ca[0], "--edge-ca-pk", ca[1], "--identity-pk"]
        wrong = sallyport(*arguments, ca[1], check=False)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("does not belong to the first certificate of", wrong.stderr)
        self.assertFalse((w.edge_root / "etc/aziot/config.toml").exists())
        sallyport(*arguments, identity[1])
        self.assertEqual(self.apply_json()["warnings"], [])
        self.run_edge()

    def test_a_host_name_that_no_certificate_can_hold_is_refused_with_the_reason(self):
        refused = sallyport("edge", "config", "mp", "--root", self.world.edge_root, "--hostname", "edge_1",
                            "--connection-string", "HostName=h;DeviceId=d;SharedAccessKey=a2V5", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("contains an underscore, which no host name may (RFC 1123): use a hyphen", refused.stderr)
        self.assertFalse((self.world.edge_root / "etc/aziot/config.toml").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
