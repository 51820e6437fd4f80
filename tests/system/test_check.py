# SPDX-License-Identifier: Apache-2.0
"""`sallyport check`: nothing to say about a device that is well, and for each thing that is broken its very id."""

import json
import os
import pathlib
import re
import shutil
import unittest

from harness import DEVICE_ID, HOSTNAME, SALLYPORT, SystemTest, free_port, run, sallyport


class Device(SystemTest):
    """A device that lives, with hub and gateway."""

    def setUp(self):
        super().setUp()
        w = self.world
        w.make_hub()
        # The gateway's port must stand in config.toml, where the check finds it.
        w.make_edge(more=f'[gateway]\naddress = "127.0.0.1"\nmqtt_port = {free_port()}\n')
        self.config = w.edge_root / "etc/aziot/config.toml"
        w.gateway = w.process("gateway", "gateway", "run", "--root", w.edge_root).start()
        self.certificate = w.edge_root / f"var/lib/aziot/certd/certs/{DEVICE_ID}.cer"
        self.key = w.edge_root / f"var/lib/aziot/keyd/keys/{DEVICE_ID}.key"
        self.edge_ca = w.dir / "issued" / "edge-ca.pem"

    def append(self, text):
        self.config.write_text(self.config.read_text() + text)

    def change(self, before, after):
        text = self.config.read_text()
        self.assertIn(before, text)
        self.config.write_text(text.replace(before, after))

    def check(self, *options):
        done = run(*self.world.program, "check", "--root", self.world.edge_root, "--output", "json", *options, check=False)
        self.assertEqual(done.stderr, "")
        return done.returncode, {each["id"]: each for each in json.loads(done.stdout)["checks"]}

    def results(self, *options):
        code, checks = self.check(*options)
        return code, {id: each["result"] for id, each in checks.items()}

    def expect(self, id, result="error", *words, among=(), exit_code=None):
        """The check has that result, with a reason that holds the words and with a fix, and no other check that is
        not in `among` is worse than it should be."""
        code, checks = self.check()
        found = checks[id]
        self.assertEqual(found["result"], result, checks)
        for word in words:
            self.assertIn(word, found["reason"] + found["fix"])
        self.assertTrue(found["reason"])
        self.assertTrue(found["fix"])
        bad = {i for i, each in checks.items() if each["result"] in ("error", "warning", "unknown")}
        self.assertLessEqual(bad, {id, *among}, [checks[i] for i in bad])
        self.assertEqual(code, {"error": 1, "warning": 0, "unknown": 3}[result] if exit_code is None else exit_code)
        return checks


class Healthy(Device):
    def test_a_device_that_is_well_has_no_fault(self):
        code, checks = self.check("--warnings-as-errors")
        self.maxDiff = None
        faults = [each for each in checks.values() if each["result"] not in ("ok", "ignored")]
        self.assertEqual(faults, [])
        self.assertEqual(code, 0)
        for each in checks.values():
            self.assertEqual(list(each), ["id", "description", "result", "reason", "fix"])
        looked_at = {id for id, each in checks.items() if each["result"] == "ok"}
        self.assertLessEqual({"hostname", "host-local-time", "identity-certificate-expiry", "certs-chain-order",
                              "certs-match-private-keys", "private-key-permissions", "key-pairs-read",
                              "edge-ca-present", "edge-ca-chain", "trust-bundle-own-root", "keyd-running",
                              "aziot-edged-running", "socket-permissions", "device-provisioned",
                              "workload-trust-bundle", "host-connect-iothub-https", "host-connect-iothub-mqtt",
                              "gateway-running", "gateway-server-certificate"}, looked_at)

    def test_text_has_a_line_a_check_and_a_line_for_the_fix(self):
        os.chmod(self.key, 0o644)
        done = sallyport("check", "--root", self.world.edge_root, check=False)
        self.assertEqual(done.returncode, 1)
        line = re.search(r"^  error +private-key-permissions +key .* \(mode 0644\)\n +fix: run chmod 600 .*$", done.stdout,
                         re.MULTILINE)
        self.assertTrue(line, done.stdout)
        self.assertRegex(done.stdout, r"^keys$|\nkeys\n")
        self.assertRegex(done.stdout, r"\n\d+ ok, 0 warnings, \d errors, 0 unknown, 0 skipped\n$")

    def test_only_what_is_asked_for_is_looked_at(self):
        os.chmod(self.config, 0o666)
        self.assertEqual(self.results("--only", "hostname"), (0, {"hostname": "ok"}))
        code, results = self.results("--only", "configuration")
        self.assertEqual((code, results["config-permissions"]), (1, "error"))
        self.assertNotIn("hostname", results)
        code, results = self.results("--only", "configuration", "--dont-run", "config-permissions")
        self.assertEqual(code, 0)
        self.assertNotIn("config-permissions", results)

    def test_a_check_that_does_not_exist_is_wrong_usage(self):
        done = sallyport("check", "--root", self.world.edge_root, "--only", "hostnme", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--list", done.stderr)
        self.assertIn("hostname", sallyport("check", "--list").stdout)

    def test_each_check_stands_in_the_reference_page(self):
        page = (pathlib.Path(os.environ["SALLYPORT_SOURCE"]) / "docs/reference/check.md").read_text()
        for line in sallyport("check", "--list").stdout.splitlines():
            id = re.search(r" ([a-z][a-z0-9_-]+) +\S", line[14:]).group(1)
            self.assertIn(f"`{id}`", page)


class BrokenCertificates(Device):
    def make_old(self, key, subject, begin, end, extensions, out):
        """A certificate whose dates `sallyport ca issue` would not write."""
        w = self.world
        work = w.dir / "old-ca"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        (work / "index.txt").write_text("")
        (work / "openssl.cnf").write_text(f"""[ca]
default_ca = d
[d]
database = {work}/index.txt
new_certs_dir = {work}
rand_serial = yes
default_md = sha256
policy = p
[p]
commonName = supplied
[x]
{extensions}
""")
        request = work / "request.csr"
        run("openssl", "req", "-new", "-key", key, "-subj", f"/CN={subject}", "-out", request)
        issuer_key = w.ca / "private" / "my_private_root_CA.key.pem"
        run("openssl", "ca", "-batch", "-notext", "-config", work / "openssl.cnf", "-extensions", "x", "-cert", w.root,
            "-keyfile", issuer_key, "-in", request, "-out", out, "-startdate", begin, "-enddate", end)

    def test_an_expired_identity_certificate(self):
        self.make_old(self.key, "EdgeGateway", "20200101000000Z", "20210101000000Z", "extendedKeyUsage = clientAuth",
                      self.certificate)
        self.expect("identity-certificate-expiry", "error", "expired at 2021-01-01")

    def test_an_identity_certificate_that_ends_within_a_week(self):
        self.make_old(self.key, "EdgeGateway", "20200101000000Z",
                      run("date", "--utc", "-d", "+3 days", "+%Y%m%d%H%M%SZ").stdout.strip(),
                      "extendedKeyUsage = clientAuth", self.certificate)
        self.expect("identity-certificate-expiry", "warning", "expires in")
        self.assertEqual(self.check("--warnings-as-errors")[0], 1)

    def test_an_identity_certificate_from_the_future_says_that_the_clock_is_wrong(self):
        self.make_old(self.key, "EdgeGateway", "20400101000000Z", "20410101000000Z", "extendedKeyUsage = clientAuth",
                      self.certificate)
        self.expect("host-clock", "error", "clock", among=["identity-certificate-expiry"])

    def test_a_certificate_that_is_gone(self):
        self.certificate.unlink()
        self.expect("identity-certificate-expiry", "error", str(self.certificate),
                    among=["certs-read", "certs-match-private-keys"])

    def test_a_key_that_is_not_the_certificates(self):
        shutil.copy(self.world.issue("device", "another")[1], self.key)
        self.expect("certs-match-private-keys", "error", "does not belong to its private key")

    def test_a_chain_out_of_order(self):
        own, *intermediates = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n",
                                         self.edge_ca.read_text(), re.DOTALL)
        self.edge_ca.write_text(own + self.world.root.read_text() + "".join(intermediates))
        self.expect("certs-chain-order", "error", "but was issued by", "in order")

    def test_a_trust_bundle_without_the_own_root(self):
        w = self.world
        sallyport("ca", "init", "--data", w.dir / "other-ca", "--root", "other_root")
        other = w.dir / "other-ca" / "certs" / "other_root.pem"
        self.change(f'trust_bundle_cert = "file://{w.root}"', f'trust_bundle_cert = "file://{other}"')
        self.expect("trust-bundle-own-root", "error", "my_private_root_CA",
                    among=["edge-ca-chain", "gateway-server-certificate", "configs-up-to-date", "workload-trust-bundle",
                           "certs-read"])

    def test_no_trust_bundle_at_all(self):
        self.change(f'trust_bundle_cert = "file://{self.world.root}"\n', "")
        self.expect("trust-bundle-own-root", "error", "trust_bundle_cert",
                    among=["edge-ca-chain", "gateway-server-certificate", "configs-up-to-date"])

    def test_an_edge_ca_that_has_expired(self):
        self.make_old(self.world.dir / "issued" / "edge-ca.key", "iotedged workload ca edgegateway", "20200101000000Z",
                      "20210101000000Z", "basicConstraints = critical, CA:TRUE, pathlen:0\nkeyUsage = keyCertSign",
                      self.edge_ca)
        self.expect("edge-ca-expiry", "error", "expired at 2021-01-01", among=["edge-ca-chain"])

    def test_an_edge_ca_that_is_no_ca(self):
        self.make_old(self.world.dir / "issued" / "edge-ca.key", "iotedged workload ca edgegateway", "20200101000000Z",
                      "20400101000000Z", "basicConstraints = critical, CA:FALSE", self.edge_ca)
        self.expect("edge-ca-basic-constraints", "error", "CA:TRUE", among=["edge-ca-chain"])

    def test_an_edge_ca_with_the_key_of_another(self):
        shutil.copy(self.world.issue("edge-ca", "another")[1], self.world.dir / "issued" / "edge-ca.key")
        self.expect("edge-ca-key", "error", "does not belong", among=["certs-match-private-keys"])

    def test_an_edge_ca_that_is_gone(self):
        self.edge_ca.unlink()
        self.expect("edge-ca-present", "error", str(self.edge_ca),
                    among=["certs-match-private-keys", "certs-read", "edge-ca-chain"])

    def test_a_preloaded_certificate_that_does_not_parse(self):
        broken = self.world.dir / "broken.pem"
        broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        self.append(f'[preloaded_certs]\nbroken = "file://{broken}"\n')
        self.expect("certs-preloaded", "error", str(broken), among=["configs-up-to-date", "certs-read"])

    def test_a_quickstart_ca_is_no_ca_for_production(self):
        text = self.config.read_text()
        self.config.write_text(re.sub(r"\[edge_ca\]\n(.*\n){2}", "", text))
        self.world.edge.stop()
        self.world.edge.start()
        self.expect("edge-ca-production", "warning", "[edge_ca]", among=["gateway-server-certificate"])


class BrokenFiles(Device):
    def test_a_key_that_others_may_read(self):
        os.chmod(self.key, 0o644)
        # The keys service refuses such a key.
        self.expect("private-key-permissions", "error", "chmod 600", str(self.key), among=["key-pairs-read"])

    def test_a_key_that_is_gone(self):
        self.key.unlink()
        self.expect("key-pairs-read", "error", str(self.key), among=["certs-match-private-keys"])

    def test_a_misspelt_key_in_config_toml(self):
        self.change(f'hostname = "{HOSTNAME}"', f'hostnme = "{HOSTNAME}"')
        code, checks = self.check()
        self.assertEqual(code, 1)
        self.assertEqual(checks["config-well-formed"]["result"], "error")
        self.assertIn("hostname", checks["config-well-formed"]["reason"])
        self.assertTrue(checks["config-well-formed"]["fix"])
        self.assertEqual(checks["edge-ca-present"]["result"], "skipped")
        self.assertEqual(checks["keyd-running"]["result"], "ok")

    def test_a_host_name_that_no_certificate_can_hold(self):
        self.change(f'hostname = "{HOSTNAME}"', 'hostname = "edge_gateway"')
        self.expect("hostname", "error", "underscore", among=["config-well-formed"])

    def test_a_configuration_that_the_services_have_not_read(self):
        self.change("[provisioning]", "cloud_retries = 7\n[provisioning]")
        self.expect("configs-up-to-date", "warning", "identity service")

    def test_a_service_file_that_does_not_parse(self):
        own = self.world.edge_root / "etc/aziot/keyd/config.d/00-super.toml"
        own.write_text(own.read_text() + "homedir =\n")
        self.expect("keyd-config-well-formed", "error", str(own), among=["configs-up-to-date"], exit_code=1)

    def test_a_configuration_that_anybody_may_change(self):
        os.chmod(self.config, 0o666)
        self.expect("config-permissions", "error", "chmod 600")

    def test_a_socket_that_anybody_may_open(self):
        os.chmod(self.world.edge_root / "run/aziot/keyd.sock", 0o666)
        self.expect("socket-permissions", "error", "chmod 660")

    def test_a_home_that_others_may_enter(self):
        os.chmod(self.world.edge_root / "var/lib/aziot/keyd", 0o755)
        self.expect("home-permissions", "error", "chmod 700")


class BrokenConnections(Device):
    def test_a_hub_that_has_stopped(self):
        self.world.hub.stop()
        checks = self.expect("host-connect-iothub-https", "error", "cannot be reached",
                             among=["host-connect-iothub-mqtt"])
        self.assertEqual(checks["host-connect-iothub-mqtt"]["result"], "error")
        self.assertEqual(checks["host-local-time"]["result"], "skipped")

    def test_a_hub_whose_root_is_not_trusted(self):
        w = self.world
        sallyport("ca", "init", "--data", w.dir / "other-ca", "--root", "other_root")
        other = w.dir / "other-ca" / "certs" / "other_root.pem"
        self.change(f'trusted_certs = ["file://{w.root}"]', f'trusted_certs = ["file://{other}"]')
        checks = self.expect("host-connect-iothub-mqtt", "error", "path.", among=[
            "host-connect-iothub-https", "configs-up-to-date", "config-up-to-date"])
        self.assertEqual(checks["host-connect-iothub-https"]["result"], "error")

    def test_a_hub_of_another_name(self):
        self.change('iothub_hostname = "ContosoIotHub"', 'iothub_hostname = "FabrikamIotHub"')
        self.expect("host-connect-iothub-https", "error", "leaf.san", among=[
            "host-connect-iothub-mqtt", "configs-up-to-date", "config-up-to-date"])

    def test_a_parent_of_another_name_than_its_certificate(self):
        w = self.world
        # The hub's address stands in its certificate, so a parent of that name is good and `localhost` is none.
        self.change("[provisioning]\n", 'parent_hostname = "localhost"\n[provisioning]\n')
        self.expect("parent-certificate", "error", "leaf.san", "localhost", among=[
            "host-connect-iothub-https", "host-connect-iothub-mqtt", "configs-up-to-date", "config-up-to-date"])
        self.change('parent_hostname = "localhost"', 'parent_hostname = "127.0.0.1"')
        self.assertEqual(self.check("--only", "parent-certificate")[1]["parent-certificate"]["result"], "ok")
        self.change(f'trust_bundle_cert = "file://{w.root}"\n', "")
        found = self.check("--only", "parent-certificate")[1]["parent-certificate"]
        self.assertEqual(found["result"], "error")
        self.assertIn("trust_bundle_cert", found["fix"])

    def test_services_that_do_not_run(self):
        self.world.edge.stop()
        self.expect("keyd-running", "error", "sallyport edge run", among=[
            "certd-running", "identityd-running", "aziot-edged-running", "certs-read", "device-provisioned"])

    def test_a_gateway_that_does_not_run(self):
        self.world.gateway.stop()
        checks = self.expect("gateway-running", "warning", "sallyport gateway run")
        self.assertEqual(checks["gateway-server-certificate"]["result"], "skipped")

    def test_a_gateway_with_a_certificate_for_another_name(self):
        self.change(f'hostname = "{HOSTNAME}"', 'hostname = "renamed.local"')
        self.expect("gateway-server-certificate", "error", "leaf.san", "renamed.local",
                    among=["configs-up-to-date", "config-up-to-date"])

    def test_a_module_that_the_hub_does_not_know(self):
        w = self.world
        self.append('[[principal]]\nname = "nginx"\nidtype = ["module"]\n')
        found = self.check("--only", "aziot-edged-running")[1]["aziot-edged-running"]
        self.assertEqual(found["result"], "error")
        self.assertIn("nginx", found["reason"])
        w.edge.stop()
        w.edge.start()
        self.assertEqual(self.check("--only", "aziot-edged-running")[0], 0)


class Later(Device):
    """The same device at another time."""

    MOVES_CLOCK = True

    def only(self, id, program=None):
        done = run(*(program or self.world.program), "check", "--root", self.world.edge_root, "--output", "json", "--only",
                   id, check=False)
        return json.loads(done.stdout)["checks"][0]

    def test_a_renewal_that_did_not_happen(self):
        w = self.world
        self.config.write_text(re.sub(r"\[edge_ca\]\n(.*\n){2}", "", self.config.read_text()))
        w.edge.stop()
        w.edge.start()
        self.assertEqual(self.only("certs-renewal-schedule")["result"], "ok")
        w.edge.stop()
        w.set_clock("73d")  # due at four fifths of 90 days, and tried again every 3.6 days
        self.assertEqual(self.only("certs-renewal-schedule")["result"], "ok")
        w.set_clock("82d")
        late = self.only("certs-renewal-schedule")
        self.assertEqual(late["result"], "warning")
        self.assertIn("was to be renewed", late["reason"])
        self.assertIn("sallyport edge run", late["fix"])
        w.set_clock("91d")
        self.assertEqual(self.only("certs-renewal-schedule")["result"], "error")
        self.assertEqual(self.only("edge-ca-expiry")["result"], "error")
        w.set_clock("82d")
        w.edge.start()
        self.assertEqual(self.only("certs-renewal-schedule")["result"], "ok")

    def test_a_clock_that_is_wrong_since_boot(self):
        self.assertEqual(self.only("host-clock")["result"], "ok")
        self.world.set_clock("-400d")
        wrong = self.only("host-clock")
        self.assertEqual(wrong["result"], "error")
        self.assertIn("wrong since boot", wrong["reason"])
        self.assertIn("set the clock", wrong["fix"])

    def test_a_clock_that_is_not_the_hubs(self):
        self.assertEqual(self.only("host-local-time")["result"], "ok")
        self.world.set_clock("1h")
        apart = self.only("host-local-time", [SALLYPORT])
        self.assertEqual(apart["result"], "warning")
        self.assertIn("behind", apart["reason"])
        self.assertTrue(apart["fix"])


class NoDevice(unittest.TestCase):
    def test_where_nothing_is_configured_the_first_fault_is_told(self):
        done = sallyport("check", "--root", "/nonexistent", "--output", "json", check=False)
        self.assertEqual(done.returncode, 1)
        checks = {each["id"]: each for each in json.loads(done.stdout)["checks"]}
        self.assertEqual(checks["config-well-formed"]["result"], "error")
        self.assertIn("does not exist", checks["config-well-formed"]["reason"])

    def test_wrong_options_are_wrong_usage(self):
        self.assertEqual(sallyport("check", "--output", "xml", check=False).returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
