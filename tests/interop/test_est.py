# SPDX-License-Identifier: Apache-2.0
"""EST clients of others, unmodified, at `sallyport ca dev`: strongSwan's pki, curl with openssl."""

import base64
import json
import os
import pathlib
import shlex
import shutil
import signal
import ssl
import socket
import subprocess
import tempfile
import unittest

from harness import GENEROUS, SALLYPORT, Process, run, sallyport, until


class EstTest(unittest.TestCase):
    """One `ca dev` a test, reached by what it prints."""

    dev_options = ()

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.data = self.dir / "ca"
        self.process = None
        self.start()
        self.addCleanup(self.stop)

    def start(self):
        env_file = self.dir / "env"
        env_file.unlink(missing_ok=True)
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen(
                [SALLYPORT, "ca", "dev", "--data", self.data, "--port", "0", "--env-file", env_file, *self.dev_options],
                stdout=subprocess.DEVNULL, stderr=log, stdin=subprocess.DEVNULL)

        def serves():
            if self.process.poll() is not None:
                raise AssertionError(f"ca dev exited {self.process.returncode}\n{(self.dir / 'log').read_text()}")
            return env_file.exists()

        until(GENEROUS, "ca dev serving", serves)
        self.env = {}
        for line in env_file.read_text().splitlines():
            name, value = line.split("=", 1)
            self.env[name] = shlex.split(value)[0]
        self.url = self.env["EST_URL"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.assertEqual(self.process.wait(GENEROUS), 0)

    def csr(self, name, subject, *more, key=None):
        """A request in DER and its key."""
        key = key or self.dir / f"{name}.key"
        csr = self.dir / f"{name}.csr"
        if not key.exists():
            run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        run("openssl", "req", "-new", "-key", key, "-subj", subject, "-outform", "DER", "-out", csr, *more)
        return csr, key

    def cacerts(self):
        """The certificates of /cacerts as one PEM file."""
        out = self.dir / "cacerts.pem"
        body = run("curl", "-sS", "--fail", "--cacert", self.env["EST_CA_FILE"],
                   f"{self.url}/.well-known/est/cacerts").stdout
        (self.dir / "cacerts.p7").write_bytes(base64.b64decode(body))
        run("openssl", "pkcs7", "-inform", "DER", "-in", self.dir / "cacerts.p7", "-print_certs", "-out", out)
        return out

    def verify(self, leaf, purpose="sslclient"):
        run("openssl", "verify", "-purpose", purpose, "-x509_strict", "-CAfile", self.env["EST_CA_FILE"], "-untrusted",
            self.cacerts(), leaf)

    def listed(self):
        return json.loads(sallyport("ca", "list", "--data", self.data, "--output", "json").stdout)


class StrongSwan(EstTest):
    def pki(self, *argv, check=True):
        done = subprocess.run(["pki", *map(str, argv)], capture_output=True, timeout=GENEROUS)
        if check and done.returncode != 0:
            raise AssertionError(f"pki {argv} exited {done.returncode}\n{done.stderr.decode()}")
        return done

    def enrol(self, csr, *more):
        # Its TLS knows the server by the whole chain that it is given.
        trusted = ("--cacert", self.env["EST_CA_FILE"])
        out = self.pki("--est", "--url", self.url, "--in", csr, *trusted, "--outform", "pem", *more).stdout
        leaf = self.dir / "leaf.pem"
        leaf.write_bytes(out)
        return leaf

    def test_the_ca_certificates_come_as_files(self):
        self.pki("--estca", "--url", self.url, "--cacert", self.env["EST_CA_FILE"], "--caout", self.dir / "got.pem",
                 "--outform", "pem")
        self.assertEqual(len(list(self.dir.glob("got*.pem"))), 2)

    def test_a_label_is_named_in_front(self):
        self.pki("--estca", "--url", self.url + "/edge-ca/", "--cacert", self.env["EST_CA_FILE"], "--caout",
                 self.dir / "got.pem", "--outform", "pem")
        self.assertEqual(len(list(self.dir.glob("got*.pem"))), 2)

    def test_a_password_enrols_and_the_certificate_renews_itself(self):
        csr, key = self.csr("dev1", "/CN=dev1", "-addext", "subjectAltName=DNS:dev1.local")
        leaf = self.enrol(csr, "--userpass", f"{self.env['EST_USER']}:{self.env['EST_PASSWORD']}")
        self.verify(leaf)
        first = self.dir / "first.pem"
        shutil.copy(leaf, first)
        csr, _ = self.csr("dev1-next", "/CN=dev1", "-addext", "subjectAltName=DNS:dev1.local")
        again = self.enrol(csr, "--cert", first, "--key", key, "--cacert", self.data / "certs" / "sallyport-ca-dev-issuing.pem")
        self.verify(again)
        old, new = sorted((c for c in self.listed() if c["device"] == "dev1"), key=lambda c: c["replaces"] or "")
        self.assertEqual(new["replaces"], old["serial"])

    def test_the_bootstrap_certificate_is_no_renewal_for_another(self):
        csr, _ = self.csr("dev1", "/CN=dev1")
        refused = self.pki("--est", "--url", self.url, "--in", csr, "--cacert", self.env["EST_CA_FILE"], "--cacert",
                           self.data / "certs" / "sallyport-ca-dev-issuing.pem", "--cert",
                           self.env["EST_BOOTSTRAP_CERT"], "--key", self.env["EST_BOOTSTRAP_KEY"], check=False)
        self.assertNotEqual(refused.returncode, 0)


class Curl(EstTest):
    def post(self, path, body, *more):
        """Status and body of the answer."""
        sent = self.dir / "body"
        sent.write_bytes(body)
        out = run("curl", "-sS", "--cacert", self.env["EST_CA_FILE"], "-H", "Content-Type: application/pkcs10",
                  "--data-binary", f"@{sent}", "-w", "\n%{http_code}", *more, f"{self.url}/.well-known/est/{path}").stdout
        text, _, status = out.rpartition("\n")
        return int(status), text

    def bootstrap(self):
        return "--cert", self.env["EST_BOOTSTRAP_CERT"], "--key", self.env["EST_BOOTSTRAP_KEY"]

    def leaf_of(self, text, name="leaf"):
        p7, pem = self.dir / f"{name}.p7", self.dir / f"{name}.pem"
        p7.write_bytes(base64.b64decode(text))
        run("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", p7)
        listed = run("openssl", "pkcs7", "-inform", "DER", "-in", p7, "-print_certs").stdout
        self.assertEqual(listed.count("BEGIN CERTIFICATE"), 1)
        pem.write_text(listed[listed.index("-----BEGIN"):])
        return pem

    def test_bootstrap_certificate_identity_edge_ca(self):
        csr, key = self.csr("dev1", "/CN=dev1", "-addext", "extendedKeyUsage=clientAuth")
        status, text = self.post("edge-ca/simpleenroll", base64.encodebytes(csr.read_bytes()), *self.bootstrap())
        self.assertEqual(status, 200, text)
        identity = self.leaf_of(text, "identity")
        self.verify(identity)
        own = ("--cert", identity, "--key", key)  # the leaf alone, as IoT Edge renews
        csr, _ = self.csr("edge", "/CN=aziot-edge CA dev1", "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0",
                          "-addext", "keyUsage=critical,digitalSignature,keyCertSign")
        status, text = self.post("edge-ca/simpleenroll", base64.b64encode(csr.read_bytes()), *own)
        self.assertEqual(status, 200, text)
        edge = self.leaf_of(text, "edge")
        shown = run("openssl", "x509", "-in", edge, "-noout", "-text").stdout
        self.assertIn("CA:TRUE, pathlen:0", shown)
        status, text = self.post("device/simpleenroll", base64.b64encode(csr.read_bytes()), *own)
        self.assertEqual((status, text.split(":")[0]), (403, "csr.extension"))

    def test_pem_body_basic_challenge_and_expect(self):
        csr, _ = self.csr("dev2", "/CN=dev2")
        pem = run("openssl", "req", "-inform", "DER", "-in", csr).stdout.encode()
        login = ("--anyauth", "--user", f"{self.env['EST_USER']}:{self.env['EST_PASSWORD']}")
        status, text = self.post("simpleenroll", pem, *login)
        self.assertEqual(status, 200, text)
        status, text = self.post("simpleenroll", pem, *login, "-H", "Expect: 100-continue")
        self.assertEqual(status, 200, text)
        self.verify(self.leaf_of(text))
        status, text = self.post("simpleenroll", pem)
        self.assertEqual((status, text.split(":")[0]), (401, "auth.none"))

    def test_keys_are_made_for_who_asks(self):
        csr, _ = self.csr("dev3", "/CN=dev3")
        status, text = self.post("serverkeygen", base64.b64encode(csr.read_bytes()), "--user",
                                 f"{self.env['EST_USER']}:{self.env['EST_PASSWORD']}", "--include")
        self.assertEqual(status, 200, text)
        head, _, body = text.partition("\n\n") if "\r\n\r\n" not in text else text.partition("\r\n\r\n")
        boundary = next(line.split("boundary=")[1].strip() for line in head.splitlines() if "boundary=" in line)
        parts = body.split(f"--{boundary}")
        self.assertEqual(len(parts), 4)
        key = self.dir / "made.key"
        key.write_bytes(base64.b64decode("".join(parts[1].split("base64")[1].split())))
        leaf = self.leaf_of("".join(parts[2].split("base64")[1].split()))
        made = run("openssl", "pkey", "-inform", "DER", "-in", key, "-pubout").stdout
        self.assertEqual(made, run("openssl", "x509", "-in", leaf, "-noout", "-pubkey").stdout)
        self.assertNotEqual(made, run("openssl", "req", "-inform", "DER", "-in", csr, "-noout", "-pubkey").stdout)

    def test_weak_requests_are_named(self):
        login = ("--user", f"{self.env['EST_USER']}:{self.env['EST_PASSWORD']}")
        cases = {
            "key.weak": (["-newkey", "rsa:1024"], []),
            "key.type": (["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], []),
            "csr.weak_digest": (["-newkey", "rsa:2048", "-sha1"], []),
            "name.subject": (["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], ["-subj", "/CN=a/CN=b"]),
        }
        for reason, (key, subject) in cases.items():
            out = self.dir / "weak.csr"
            run("openssl", "req", "-new", "-nodes", *key, "-keyout", self.dir / "weak.key", "-outform", "DER", "-out", out,
                *(subject or ["-subj", "/CN=weak"]))
            status, text = self.post("simpleenroll", base64.b64encode(out.read_bytes()), *login)
            self.assertEqual(text.split(":")[0], reason, text)
            self.assertIn(status, (400, 403))
        self.assertFalse([c for c in self.listed() if c["device"] == "weak"])


class Commands(EstTest):
    """What operators do while it runs, over the admin socket."""

    def test_issue_list_revoke_and_block(self):
        leaf, key = self.dir / "d.pem", self.dir / "d.key"
        sallyport("ca", "issue", "--data", self.data, "--profile", "device", "--subject", "d1", "--key-out", key, "--out",
                  leaf)
        self.assertEqual([c["device"] for c in self.listed() if c["profile"] == "device"], ["d1"])
        csr, _ = self.csr("d1", "/CN=d1")
        renew = ("curl", "-sS", "--cacert", self.env["EST_CA_FILE"], "-H", "Content-Type: application/pkcs10", "--cert", leaf,
                 "--key", key, "--data-binary", base64.b64encode(csr.read_bytes()).decode(),
                 f"{self.url}/.well-known/est/simplereenroll")
        self.assertTrue(run(*renew).stdout.startswith("MII"))
        sallyport("ca", "block", "--data", self.data, "d1")
        self.assertTrue(run(*renew).stdout.startswith("auth.blocked:"))
        sallyport("ca", "unblock", "--data", self.data, "d1")
        self.assertTrue(run(*renew).stdout.startswith("MII"))
        sallyport("ca", "revoke", "--data", self.data, "--cert", leaf, "--reason", "superseded")
        self.assertTrue(run(*renew).stdout.startswith("auth.revoked:"))
        self.assertEqual(os.stat(self.data / "admin.sock").st_mode & 0o777, 0o600)

    def test_a_second_start_keeps_what_it_made_and_says_so(self):
        before = dict(self.env)
        self.stop()
        self.start()
        for name in ("EST_PASSWORD", "EST_CA_FILE", "EST_BOOTSTRAP_CERT"):
            self.assertEqual(self.env[name], before[name])
        sallyport("ca", "audit", "verify", "--data", self.data)


class Waiting(unittest.TestCase):
    """A request that an operator decides about, at `ca run` and by its commands."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.data = self.dir / "ca"
        sallyport("ca", "init", "--data", self.data)
        with open(self.data / "ca.toml", "a") as config:
            config.write('[listen]\naddress = "127.0.0.1"\nport = 0\n[profile.est-identity]\napproval = "manual"\n'
                         '[[bootstrap]]\nname = "own"\nown = true\n')
        self.cert, self.key = self.dir / "b.pem", self.dir / "b.key"
        sallyport("ca", "issue", "--data", self.data, "--profile", "bootstrap", "--subject", "dev1", "--key-out", self.key,
                  "--out", self.cert)
        self.server = Process("ca", self.dir, [SALLYPORT, "ca", "run", "--data", self.data]).start()
        self.addCleanup(self.server.stop)

    def enrol(self, name="dev1"):
        """The status; a new key for each name of a request."""
        csr = self.dir / f"{name}.csr"
        if not csr.exists():
            run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                self.dir / f"{name}.key", "-subj", "/CN=dev1", "-out", csr)
        root = self.data / "certs" / "my_private_root_CA.pem"
        url = f"https://localhost:{self.server.port('EST_PORT')}/.well-known/est/simpleenroll"
        return run("curl", "-sS", "-o", self.dir / "answer", "-w", "%{http_code}", "--cacert", root, "--cert", self.cert, "--key",
                   self.key, "-H", "Content-Type: application/pkcs10", "--data-binary", f"@{csr}", url).stdout

    def pending(self):
        return json.loads(sallyport("ca", "approve", "--data", self.data, "--list", "--output", "json").stdout)

    def test_approved_used_up_denied_and_permitted_ahead(self):
        self.assertEqual(self.enrol(), "202")
        (waiting,) = self.pending()
        self.assertEqual((waiting["caller"], waiting["label"], waiting["subject"]), ("bootstrap:dev1", "device", "CN=dev1"))
        self.assertEqual(self.server.stop(), 0)
        sallyport("ca", "approve", "--data", self.data, str(waiting["id"]))
        self.server.start()
        self.assertEqual(self.enrol(), "200")
        self.assertEqual(self.enrol(), "202")
        sallyport("ca", "approve", "--data", self.data, str(self.pending()[0]["id"]), "--deny")
        self.assertEqual(self.enrol(), "403")
        self.assertEqual(self.enrol("second"), "202")
        sallyport("ca", "approve", "--data", self.data, "--caller", "bootstrap:dev1", "--label", "device", "--subject",
                  "CN=dev1", "--count", "2")
        self.assertEqual([self.enrol("second"), self.enrol("third"), self.enrol("fourth")], ["200", "200", "202"])
        again = sallyport("ca", "approve", "--data", self.data, "99", check=False)
        self.assertEqual(again.returncode, 1)
        sallyport("ca", "audit", "verify", "--data", self.data)


class Connections(EstTest):
    def connect(self, **wish):
        context = ssl.create_default_context(cafile=self.env["EST_CA_FILE"])
        for name, value in wish.items():
            setattr(context, name, value)
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=GENEROUS),
                                   server_hostname="localhost")

    def test_a_request_among_thirty_silent_connections(self):
        silent = [self.connect() for _ in range(30)]
        self.assertTrue(self.cacerts().exists())
        for one in silent:
            one.close()

    def test_pipelined_requests_and_garbage(self):
        request = b"GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with self.connect() as one:
            one.sendall(request + request + b"\x16\x03garbage\r\n\r\n")
            got = b""
            while piece := one.recv(65536):
                got += piece
        self.assertEqual(got.count(b"HTTP/1.1 200 OK\r\n"), 2)
        self.assertEqual(got.count(b"HTTP/1.1 400 "), 1)
        self.assertIn(b"http.framing: ", got)

    def test_head_and_body_in_one_record(self):
        with self.connect(maximum_version=ssl.TLSVersion.TLSv1_2) as one:
            one.sendall(b"GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n")
            # One read gives one record.
            got = one.recv(65536)
        head, _, body = got.partition(b"\r\n\r\n")
        self.assertLess(len(head), 1024)
        length = next(int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.startswith(b"Content-Length:"))
        self.assertEqual(len(body), length)
        self.assertNotIn(b"\nTransfer-Encoding", head)

    def test_framing_that_two_readers_could_take_differently(self):
        start = b"POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pkcs10\r\n"
        for more, status in (
            (b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nAAAA", b"400"),
            (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
            (b"Content-Length: +5\r\n\r\nAAAAA", b"400"),
            (b"Content-Length: 5,5\r\n\r\nAAAAA", b"400"),
            (b"Content-Length: -1\r\n\r\n", b"400"),
            (b"Content-Length: 70000\r\n\r\n" + b"A" * 70000, b"413"),
            (b"X: " + b"y" * 70000 + b"\r\n\r\n", b"431"),
            (b"\r\n", b"411"),
        ):
            with self.connect() as one:
                one.sendall(start + more)
                self.assertTrue(one.recv(65536).startswith(b"HTTP/1.1 " + status), more[:60])
        self.assertTrue(self.cacerts().exists())

    def test_what_is_no_tls_ends_that_connection_alone(self):
        for junk in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(200)):
            with socket.create_connection(("127.0.0.1", self.port), timeout=GENEROUS) as one:
                one.sendall(junk)
                try:
                    while one.recv(65536):
                        pass
                except ConnectionResetError:
                    pass
        self.assertTrue(self.cacerts().exists())


if __name__ == "__main__":
    unittest.main()
