# SPDX-License-Identifier: Apache-2.0
"""The books of a CA: a command that is killed in the middle of each change that it makes on the disk, a full disk, and
what the commands say."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from full_disk import PRIVATE_MOUNTS
from harness import SALLYPORT, run

LIBRARY = pathlib.Path(os.environ["SALLYPORT_BUILD"]) / "tests" / "system" / "libcrash_at_write.so"


class Books(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.data = self.dir / "ca"
        self.ca("init")

    def ca(self, *argv, data=None, **options):
        return run(SALLYPORT, "ca", *argv, "--data", data or self.data, **options)

    def issue(self, name, data=None, **options):
        return self.ca("issue", "--profile", "device", "--subject", name, "--key-out", self.dir / f"{name}.key", "--out",
                       self.dir / f"{name}.pem", "--force", data=data, **options)

    def listed(self, *argv, data=None):
        return json.loads(self.ca("list", "--output", "json", *argv, data=data).stdout)

    def thumbprint(self, file):
        return run("openssl", "x509", "-in", file, "-noout", "-fingerprint", "-sha256").stdout.split("=")[1].strip().replace(":", "")

    def log(self, data=None):
        text = ((data or self.data) / "audit" / "log-000001.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


class CaCrash(Books):
    def killed(self, data, at, *argv):
        """Runs a command until its at-th change; False where it has made fewer."""
        count = self.dir / "count"
        count.unlink(missing_ok=True)
        env = {**os.environ, "LD_PRELOAD": str(LIBRARY), "CRASH_SERVICE": "", "CRASH_UNDER": str(data), "CRASH_AT": str(at),
               "CRASH_COUNT": str(count)}
        done = subprocess.run([SALLYPORT, "ca", *map(str, argv), "--data", str(data)], env=env, capture_output=True, timeout=60)
        hit = count.exists() and count.stat().st_size >= at
        self.assertEqual(done.returncode, -9 if hit else 0, done.stderr)
        return hit

    def consistent(self, data):
        """Before anything repairs it and after: nothing is missing, and log and inventory tell the same."""
        self.ca("audit", "verify", data=data)
        self.ca("audit", "head", data=data)
        self.ca("audit", "verify", data=data)
        issued = {e["serial"] for e in self.log(data) if e["kind"] in ("issue", "import")}
        self.assertEqual(issued, {e["serial"] for e in self.listed(data=data)})

    def each_change(self, *argv, also=lambda data: None):
        data = self.dir / "copy"
        at = 1
        while True:
            shutil.copytree(self.data, data)
            hit = self.killed(data, at, *argv)
            self.consistent(data)
            also(data)
            shutil.rmtree(data)
            if not hit:
                return at
            at += 1

    def test_no_certificate_leaves_that_the_books_do_not_know(self):
        out = self.dir / "dev.pem"

        def also(data):
            # What was written for the caller is known; what is known need not have been written.
            if out.exists():
                self.assertIn(self.thumbprint(out), {e["sha256"] for e in self.listed(data=data)})
                out.unlink()
            self.issue("next", data=data)

        changes = self.each_change("issue", "--profile", "device", "--subject", "dev", "--key-out", self.dir / "dev.key",
                                   "--out", out, "--force", also=also)
        self.assertGreater(changes, 10)

    def test_a_revocation_is_in_both_or_in_neither(self):
        self.issue("dev")
        serial = self.listed("--device", "dev")[0]["serial"]

        def also(data):
            state = self.listed("--device", "dev", data=data)[0]["state"]
            told = any(e["kind"] == "revoke" and e["serial"] == serial for e in self.log(data))
            self.assertEqual(state == "revoked", told)

        self.each_change("revoke", "--serial", serial, "--reason", "keyCompromise", also=also)


@unittest.skipUnless(PRIVATE_MOUNTS, "this user may not mount a disk of its own (unshare --mount)")
class CaFullDisk(Books):
    SCRIPT = r"""
set -u
mount -t tmpfs -o size=80M,mode=700 none "$DISK" && cp -a "$DATA" "$DISK/ca" || exit 99
issue() { "$SALLYPORT" ca issue --data "$DISK/ca" --profile device --subject "$1" --key-out "$OUT/$1.key" --out "$OUT/$1.pem" --force; }
say() { echo "$1 $?"; }
issue first; say first
dd if=/dev/zero of="$DISK/filler" bs=1M count=20 2>/dev/null
issue reserve; say reserve
"$SALLYPORT" ca revoke --data "$DISK/ca" --cert "$OUT/first.pem" --reason superseded; say revoke
dd if=/dev/zero of="$DISK/filler2" bs=4k 2>/dev/null
"$SALLYPORT" ca block --data "$DISK/ca" dev1; say block
"$SALLYPORT" ca audit verify --data "$DISK/ca" > /dev/null; say verify
rm "$DISK/filler" "$DISK/filler2"
"$SALLYPORT" ca audit verify --data "$DISK/ca" > /dev/null; say verified
issue last; say last
"$SALLYPORT" ca audit verify --data "$DISK/ca" > /dev/null; say end
"""

    def test_issuing_stops_first_and_goes_on_with_room(self):
        disk = self.dir / "disk"
        disk.mkdir()
        done = subprocess.run([*PRIVATE_MOUNTS, "sh", "-c", self.SCRIPT], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "DISK": str(disk), "DATA": str(self.data), "OUT": str(self.dir),
                                   "SALLYPORT": str(SALLYPORT)})
        said = dict(line.split() for line in done.stdout.splitlines())
        self.assertEqual(said, {"first": "0", "reserve": "1", "revoke": "0", "block": "1", "verify": said.get("verify"),
                                "verified": "0", "last": "0", "end": "0"}, done.stderr)
        self.assertIn("is full but for what revocations need", done.stderr)
        self.assertFalse((self.dir / "reserve.pem").exists())


class CaBooks(Books):
    def test_what_was_issued_is_listed_until_it_ends(self):
        self.issue("dev1")
        self.ca("issue", "--profile", "server", "--subject", "hub", "--san", "DNS:hub", "--days", "10", "--key-out",
                self.dir / "hub.key", "--out", self.dir / "hub.pem")
        soon = self.listed("--expiring", "30d")
        self.assertEqual([e["device"] for e in soon], ["hub"])
        self.assertEqual(soon[0]["sha256"], self.thumbprint(self.dir / "hub.pem"))
        self.assertEqual(soon[0]["actor"], f"command:{os.getuid()}")
        self.assertEqual(len(self.listed()), 4)
        self.assertIn("dev1", self.ca("list", "--device", "dev1").stdout)
        self.assertEqual(self.ca("list", "--expiring", "soon", check=False).returncode, 2)

    def test_revoke_and_unrevoke_say_what_they_refuse(self):
        self.issue("dev1")
        cert = self.dir / "dev1.pem"
        wrong = self.ca("revoke", "--cert", cert, "--reason", "keyCompromised", check=False)
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("did you mean keyCompromise?", wrong.stderr)
        self.assertEqual(self.ca("revoke", "--reason", "superseded", check=False).returncode, 2)
        self.ca("revoke", "--cert", cert, "--reason", "certificateHold")
        self.assertEqual(self.listed("--device", "dev1")[0]["state"], "revoked")
        self.ca("unrevoke", "--cert", cert)
        self.ca("revoke", "--cert", cert, "--reason", "keycompromise")
        again = self.ca("unrevoke", "--cert", cert, check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("was revoked for good (keyCompromise)", again.stderr)
        foreign = self.ca("revoke", "--cert", "/etc/hostname", "--reason", "superseded", check=False)
        self.assertEqual(foreign.returncode, 1)
        other = self.dir / "other"
        self.ca("init", data=other)
        self.assertIn("was never issued here",
                      self.ca("revoke", "--cert", cert, "--reason", "superseded", data=other, check=False).stderr)

    def test_the_audit_log_is_shown_proven_and_verified(self):
        self.issue("dev1")
        self.ca("block", "dev1")
        shown = self.ca("audit", "show", "--kind", "issue").stdout
        self.assertIn('subject="CN=dev1"', shown)
        head = json.loads(self.ca("audit", "head").stdout)
        proof = json.loads(self.ca("audit", "prove", head["seq"]).stdout)
        self.assertEqual(proof["root"], head["root"])
        self.assertTrue(self.ca("audit", "verify").stdout.startswith("clean: "))
        anchor = self.dir / "anchor"
        anchor.write_text(self.ca("audit", "head").stdout)
        self.ca("audit", "verify", "--anchor", anchor)
        log = self.data / "audit" / "log-000001.jsonl"
        log.write_text(log.read_text().replace("CN=dev1", "CN=dev2"))
        found = self.ca("audit", "verify", check=False)
        self.assertEqual(found.returncode, 1)
        self.assertIn(f"entry {json.loads(proof['entry'])['seq'] - 1}", found.stdout)
        self.assertEqual(self.ca("audit", "verify", data=self.dir, check=False).returncode, 3)

    def test_a_chain_of_any_depth_has_room_for_an_edge_ca_below_it(self):
        data, edge = self.dir / "deep", self.dir / "edge.pem"
        self.ca("init", "--root", "R", "--chain", "department,line,cell", data=data)
        for name, length in (("department", 3), ("line", 2), ("cell", 1)):
            shown = run("openssl", "x509", "-in", data / "certs" / f"{name}.pem", "-noout", "-ext", "basicConstraints").stdout
            self.assertIn(f"CA:TRUE, pathlen:{length}", shown)
        self.ca("issue", "--profile", "edge-ca", "--subject", "edge", "--permit", "DNS:edge1", "--key-out", self.dir / "edge.key",
                "--out", edge, data=data)
        run("openssl", "verify", "-x509_strict", "-CAfile", data / "certs" / "R.pem", "-untrusted", edge, edge)
        self.assertIn("DNS:edge1", run("openssl", "x509", "-in", edge, "-noout", "-ext", "nameConstraints").stdout)
        leaf = self.ca("issue", "--profile", "device", "--subject", "x", "--permit", "DNS:edge1", "--key-out", self.dir / "x.key",
                       "--out", self.dir / "x.pem", data=data, check=False)
        self.assertEqual(leaf.returncode, 2)

    def test_demo_certificates_are_made_in_one_command(self):
        demo = self.dir / "demo"
        run(SALLYPORT, "ca", "demo-certs", demo)
        self.assertIn("`edge-ca`", (demo / "README.md").read_text())
        run("openssl", "verify", "-CAfile", demo / "root-ca.pem", "-untrusted", demo / "downstream-device.pem",
            demo / "downstream-device.pem")
        self.assertEqual(run(SALLYPORT, "ca", "demo-certs", demo, check=False).returncode, 1)

    def test_a_root_stays_offline(self):
        offline, stick, online = self.dir / "offline", self.dir / "stick", self.dir / "online"
        stick.mkdir()
        sha256 = self.ca("init", "--offline-root", "--root", "Deep", data=offline).stdout.strip()
        self.ca("intermediate", "request", "--chain", "A,B", "--stick", stick, data=online)
        no = self.ca("root", "sign", "--stick", stick, data=offline, stdin="no\n", check=False)
        self.assertEqual(no.returncode, 1)
        yes = self.ca("root", "sign", "--stick", stick, data=offline, stdin="yes\n")
        self.assertIn("subject      CN=A", yes.stderr)
        self.ca("intermediate", "install", "--stick", stick, "--root-sha256", sha256, data=online)
        self.issue("dev1", data=online)
        run("openssl", "verify", "-CAfile", stick / "root.pem", "-untrusted", self.dir / "dev1.pem", self.dir / "dev1.pem")

    def test_a_rollover_goes_step_by_step(self):
        self.issue("dev1")
        self.assertIn("step 0", self.ca("rollover").stdout)
        self.ca("rollover", "--next", "--root", "Next")
        refused = self.ca("rollover", "--next", check=False)
        # Issued within the same second as the step: either is right.
        if refused.returncode != 0:
            self.assertIn("dev1", refused.stderr)
            self.ca("rollover", "--next", "--force")
        self.assertIn("step 3", self.ca("rollover").stdout)
        self.issue("dev2")
        for root in ("my_private_root_CA", "Next"):
            run("openssl", "verify", "-CAfile", self.data / "certs" / f"{root}.pem", "-untrusted", self.dir / "dev2.pem",
                self.dir / "dev2.pem")
        self.ca("audit", "verify")


if __name__ == "__main__":
    unittest.main(verbosity=2)
