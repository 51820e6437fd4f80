# SPDX-License-Identifier: Apache-2.0
"""`edge certs`: a program of others, nginx, serves HTTPS with a certificate of the Edge CA, and with the next one after
its renewal."""

import os
import pathlib
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import time
import unittest

from harness import SystemTest, free_port, run, sallyport, until

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
DAY = 24 * 3600
MODULE = '[[principal]]\nname = "dashboard"\nuid = {uid}\nidtype = ["module"]\nnames = ["dashboard.local"]\n'


class Certs(SystemTest):
    def make(self):
        w = self.world
        w.make_hub()
        w.make_edge(more=MODULE.format(uid=os.geteuid()))
        w.edge.wait_for("module.environment_written", "module=dashboard")
        self.site = w.dir / "site"
        self.site.mkdir(mode=0o700)
        self.cert, self.key = self.site / "server.pem", self.site / "server.key"

    def follow(self, reload, *more):
        return self.world.process("follow", "edge", "certs", "follow", "--root", self.world.edge_root, "--module",
                                  "dashboard", "--cert", self.cert, "--key", self.key, "--reload", reload, *more)

    def trust_bundle(self):
        """What downstream devices have: the root, which is in the article's trust bundle."""
        return self.world.root

    def new_edge_ca(self, name):
        """The operator replaces the Edge CA's files, as when it is renewed by a CA of his own."""
        w = self.world
        cert, key = w.issue("edge-ca", "iotedged workload ca edgegateway", name)
        config = w.edge_root / "etc/aziot/config.toml"
        text = config.read_text()
        old = [line for line in text.splitlines() if "edge-ca" in line]
        config.write_text(text.replace(old[0], f'cert = "file://{cert}"').replace(old[1], f'pk = "file://{key}"'))
        sallyport("edge", "config", "apply", "--root", w.edge_root)


class Nginx:
    """A web server that knows nothing of us."""

    def start_nginx(self):
        self.port = free_port()
        self.config = self.site / "nginx.conf"
        self.config.write_text(f"""
daemon off; worker_processes 1; pid {self.site}/nginx.pid; error_log {self.site}/error.log notice;
{'user root;' if os.geteuid() == 0 else ''}
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {self.site}/t1; proxy_temp_path {self.site}/t2; fastcgi_temp_path {self.site}/t3;
  uwsgi_temp_path {self.site}/t4; scgi_temp_path {self.site}/t5;
  server {{
    listen 127.0.0.1:{self.port} ssl;
    ssl_certificate {self.cert}; ssl_certificate_key {self.key};
    location / {{ return 200 "the dashboard\\n"; }}
  }}
}}
""")
        nginx = subprocess.Popen([NGINX, "-c", self.config, "-e", self.site / "error.log"], stdin=subprocess.DEVNULL)
        self.addCleanup(nginx.wait)
        self.addCleanup(nginx.terminate)

        def serves():
            self.assertIsNone(nginx.poll(), (self.site / "error.log").read_text())
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        until(60, "nginx serving", serves)

    def served(self, name="dashboard.local"):
        """A handshake whose certificate and name are verified against the trust bundle, and a request: the serial."""
        context = ssl.create_default_context(cafile=self.trust_bundle())
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as plain:
            with context.wrap_socket(plain, server_hostname=name) as tls:
                tls.sendall(f"GET / HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
                answer = b""
                while chunk := tls.recv(4096):
                    answer += chunk
                self.assertIn(b"the dashboard", answer)
                return tls.getpeercert()["serialNumber"]

    def serial(self):
        return run("openssl", "x509", "-in", self.cert, "-noout", "-serial").stdout.strip().split("=")[1]

    def reload_line(self):
        return f"{NGINX} -e {self.site}/error.log -c {self.site}/nginx.conf -s reload"


class Follow(Certs, Nginx):
    @unittest.skipUnless(NGINX, "nginx is not installed: scripts/install test")
    def test_nginx_serves_the_certificate_and_its_successor(self):
        self.make()
        follow = self.follow(self.reload_line(), "--common-name", "dashboard.local").start()
        self.assertEqual(stat.S_IMODE(self.key.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.cert.stat().st_mode), 0o644)
        self.start_nginx()
        first = self.serial()
        self.assertEqual(self.served(), first)
        self.assertEqual(self.served("dashboard"), first)
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.served("edgegateway.local")
        # The command, which had nothing to reload at first, is tried again until it succeeds.
        follow.wait_for("reload_command.run")
        self.assertEqual(self.serial(), first)

        mark = follow.mark()
        self.new_edge_ca("next-edge-ca")
        follow.wait_for("module_certificate.installed", since=mark)
        follow.wait_for("reload_command.run", since=mark)
        second = self.serial()
        self.assertNotEqual(first, second)
        until(60, "nginx serving the new certificate", lambda: self.served() == second)
        self.assertEqual(follow.stop(), 0)

    def test_what_fails_is_tried_again_and_the_old_pair_stays(self):
        self.make()
        follow = self.follow("true").start()
        before = self.cert.read_bytes(), self.key.read_bytes()
        mark = follow.mark()
        follow.stop()
        self.world.edge.stop()
        follow.ready.unlink()
        with open(follow.log, "ab") as log:
            follow.process = subprocess.Popen(follow.argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        follow.wait_for("module_certificate.failed", "see whether sallyport edge run is up", since=mark)
        self.assertEqual((self.cert.read_bytes(), self.key.read_bytes()), before)
        self.world.edge.start()
        follow.wait_for("module_certificate.installed", since=mark)
        self.assertNotEqual(self.cert.read_bytes(), before[0])
        self.assertNotIn("PRIVATE", follow.text())

    def test_the_command_gets_its_arguments_as_they_stand(self):
        self.make()
        witness = self.site / "witness"
        script = self.site / "reload"
        script.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {witness}.new && mv {witness}.new {witness}\n')
        script.chmod(0o700)
        self.follow(f"{script} 'a b' $HOME \"*\" ;").start()
        until(60, "the command", witness.exists)
        self.assertEqual(witness.read_text(), "a b|$HOME|*|;|")

    def test_what_cannot_work_is_refused_at_once(self):
        self.make()
        for options, said in ((["--reload", "no-such-program-here"], "is not there"), (["--reload", ""], "is empty"),
                              (["--reload", "true", "--cert", self.key], "name the same file"),
                              (["--reload", "true", "--cert", "/nowhere/x.pem"], "does not exist")):
            arguments = {"--cert": self.cert, "--key": self.key, **dict(zip(options[::2], options[1::2]))}
            refused = sallyport("edge", "certs", "follow", "--root", self.world.edge_root, "--module", "dashboard",
                                *(str(x) for pair in arguments.items() for x in pair), check=False)
            self.assertIn(refused.returncode, (1, 2), refused.stderr)
            self.assertIn(said, refused.stderr)


class Renewal(Certs, Nginx):
    MOVES_CLOCK = True

    @unittest.skipUnless(NGINX, "nginx is not installed: scripts/install test")
    def test_nginx_serves_the_next_certificate_before_the_first_one_expires(self):
        self.make()
        follow = self.follow(self.reload_line()).start()
        self.start_nginx()
        follow.wait_for("reload_command.run")
        first = self.serial()
        self.assertEqual(self.served_at(0), first)
        # Two thirds of its 30 days are over on the 20th.
        mark = follow.mark()
        self.world.set_clock(f"{19 * DAY}s")
        until(60, "an unchanged certificate", lambda: self.served_at(19 * DAY) == first)
        self.world.set_clock(f"{21 * DAY}s")
        follow.wait_for("reload_command.run", since=mark)
        self.assertNotEqual(self.serial(), first)
        until(60, "nginx serving the next certificate", lambda: self.served_at(21 * DAY) == self.serial())
        # And it goes on.
        second, mark = self.serial(), follow.mark()
        self.world.set_clock(f"{42 * DAY}s")
        follow.wait_for("reload_command.run", since=mark)
        until(60, "nginx serving the third certificate", lambda: self.served_at(42 * DAY) == self.serial())
        self.assertNotEqual(self.serial(), second)

    def served_at(self, ahead):
        """The serial of a handshake that openssl verifies by the moved time: certificate, chain and name."""
        shown = run("openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", "dashboard",
                    "-verify_hostname", "dashboard", "-verify_return_error", "-CAfile", self.trust_bundle(), "-attime",
                    str(int(time.time()) + ahead), stdin="").stdout
        return run("openssl", "x509", "-noout", "-serial", stdin=shown).stdout.strip().split("=")[1]


class Install(Certs):
    def install(self, *more, check=True):
        return sallyport("edge", "certs", "install", "--cert", self.cert, "--key", self.key, "--reload",
                         "true 'a b' 100%", "--root", self.world.edge_root, *more, check=check)

    def test_writes_a_unit_whose_command_does_what_it_says(self):
        self.make()
        self.install("--module", "dashboard", "--common-name", "dashboard.local")
        unit = self.world.edge_root / "etc/systemd/system/sallyport-certs-dashboard.service"
        self.assertEqual(stat.S_IMODE(unit.stat().st_mode), 0o644)
        self.assertEqual(unit.stat().st_uid, os.geteuid())
        if shutil.which("systemd-analyze"):
            run("systemd-analyze", "verify", "--man=no", unit)
        line = next(x for x in unit.read_text().splitlines() if x.startswith("ExecStart="))
        # No variable stands in it, so that systemd's quotes are those of a shell but for its doubled percent signs.
        ready = self.world.dir / "unit.ready"
        process = subprocess.Popen(["sh", "-c", f"exec {line[10:].replace('%%', '%')} --ready-file {ready}"],
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGTERM)
        until(60, "the unit's command serving", ready.exists)
        run("openssl", "verify", "-CAfile", self.world.root, "-untrusted", self.cert, "-verify_hostname",
            "dashboard.local", self.cert)

    def test_a_module_that_nobody_declared_is_refused_with_what_to_do(self):
        self.make()
        refused = self.install("--module", "nobody", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("[[principal]]", refused.stderr)
        self.assertFalse((self.world.edge_root / "etc/systemd").exists())

    @unittest.skipIf(pathlib.Path("/run/systemd/system").is_dir(), "systemd runs here")
    def test_without_systemd_it_says_how_to_run_it(self):
        self.make()
        refused = sallyport("edge", "certs", "install", "--module", "dashboard", "--cert", self.cert, "--key", self.key,
                            "--reload", "true", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("sallyport edge certs follow", refused.stderr)
        self.assertFalse(pathlib.Path("/etc/systemd/system/sallyport-certs-dashboard.service").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
