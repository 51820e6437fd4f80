#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The hub beside mosquitto and `openssl s_server`, in one run: server on core 0, load on core 1.

usage: bench/compare.py BUILD_DIRECTORY [handshake] [resume] [idle] [publish] [lookup]

mosquitto is the Debian package (scripts/install bench).

Figures are the server's CPU time (/proc/PID/stat) and resident memory (/proc/PID/status), so that what the load costs
does not count. Servers take turns within a run, since a machine's speed drifts.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

build = pathlib.Path(sys.argv[1]).resolve()
wanted = sys.argv[2:] or ["handshake", "resume", "idle", "publish", "lookup"]
SALLYPORT, LOAD, RESUME = build / "sallyport", build / "bench" / "hub_load", build / "bench" / "resume_load"
HUB, DEVICES, TICK = "ContosoIotHub", int(os.environ.get("BENCH_DEVICES", 100_000)), os.sysconf("SC_CLK_TCK")
SECONDS = os.environ.get("BENCH_SECONDS", "10")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 3))
work = pathlib.Path(tempfile.mkdtemp(prefix="sp-bench-", dir=os.environ.get("BENCH_DIR", "/tmp")))
servers = []


def run(*argv, **options):
    return subprocess.run([str(a) for a in argv], check=True, text=True, capture_output=True, **options).stdout


def start(*argv, ready=None, **options):
    log = open(work / f"server-{len(servers)}.log", "wb")
    process = subprocess.Popen(["taskset", "-c", "0", *map(str, argv)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                               **options)
    servers.append(process)
    deadline = time.monotonic() + 30
    while ready and not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{argv[0]} does not serve:\n{pathlib.Path(log.name).read_text()}")
        time.sleep(0.05)
    return process


def cpu(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident(process):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text())[1]) * 1024


def load(mode, port, *more):
    return ["taskset", "-c", "1", str(LOAD), mode, "--host", "127.0.0.1", "--port", str(port), "--name", HUB, "--hub", HUB,
            "--cert", str(cert), "--key", str(key), "--trust", str(root), *map(str, more)]


def listens(port):
    return lambda: subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-brief"],
                                  stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


ca = work / "ca"
run(SALLYPORT, "ca", "init", "--data", ca)
root = ca / "certs" / "my_private_root_CA.pem"


def issue(profile, subject, *more):
    certificate, private = work / f"{subject}.pem", work / f"{subject}.key"
    run(SALLYPORT, "ca", "issue", "--data", ca, "--profile", profile, "--subject", subject, *more, "--key-out", private,
        "--out", certificate)
    return certificate, private


cert, key = issue("device", "device")
server_cert, server_key = issue("server", HUB, "--san", f"DNS:{HUB}", "--san", "IP:127.0.0.1")
thumbprint = run("openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256").split("=")[1].strip().replace(":", "")


def start_hub(devices=DEVICES, tls=""):
    data = pathlib.Path(tempfile.mkdtemp(prefix="hub-", dir=work)) / "data"
    run(SALLYPORT, "hub", "init", "--data", data, "--name", HUB, "--name", "127.0.0.1")
    shutil.copy(server_cert, data / "hub.pem")
    shutil.copy(server_key, data / "hub.key")
    os.chmod(data / "hub.key", 0o600)
    config = data / "hub.toml"
    config.write_text(config.read_text().replace("[tls]\n", "[tls]\n" + tls))
    ready = data / "ready"
    process = start(SALLYPORT, "hub", "run", "--data", data, "--listen", "127.0.0.1", "--mqtt-port", "0", "--https-port", "0",
                    "--ready-file", ready, ready=ready.exists)
    values = dict(line.split("=", 1) for line in ready.read_text().splitlines() if "=" in line)
    string = run(SALLYPORT, "hub", "connection-string", "show", "--data", data, "--host",
                 f"127.0.0.1:{values['HTTPS_PORT']}").strip()
    register(string, devices)
    return process, int(values["MQTT_PORT"])


def register(string, devices):
    """By the bulk API, 100 at a time over one connection."""
    import http.client
    import ssl
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "system"))
    from sas import token
    parts = dict(part.split("=", 1) for part in string.split(";"))
    host, port = parts["HostName"].split(":")
    signed = token(host, parts["SharedAccessKey"], policy=parts["SharedAccessKeyName"])
    connection = http.client.HTTPSConnection(host, int(port), context=ssl.create_default_context(cafile=str(root)))
    begin = time.monotonic()
    for first in range(0, devices, 100):
        items = [{"id": f"d{i}", "importMode": "create", "status": "enabled", "authentication": {
            "type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": thumbprint}}}
            for i in range(first, min(first + 100, devices))]
        connection.request("POST", "/devices?api-version=2021-04-12", json.dumps(items),
                           {"Authorization": signed, "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"bulk: {answer.status} {text[:300]}")
    if devices >= 10_000:
        print(f"registered {devices} devices by the bulk API in {time.monotonic() - begin:.1f} s")


def start_mosquitto():
    config = work / "mosquitto.conf"
    for file in (server_cert, server_key, root):
        shutil.copy(file, work / f"m-{file.name}")
        os.chmod(work / f"m-{file.name}", 0o644)
    os.chmod(work, 0o755)
    config.write_text(f"""listener 18883 127.0.0.1
allow_anonymous true
require_certificate true
cafile {work}/m-{root.name}
certfile {work}/m-{server_cert.name}
keyfile {work}/m-{server_key.name}
persistence false
max_inflight_messages 0
max_queued_messages 0
log_type error
""")
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    return start(program, "-c", config, ready=listens_plain(18883)), 18883


def listens_plain(port):
    import socket

    def ask():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
    return ask


def start_s_server():
    return start("openssl", "s_server", "-accept", "127.0.0.1:18884", "-cert", server_cert, "-cert_chain", server_cert, "-key",
                 server_key, "-CAfile", root, "-Verify", "5", "-quiet", ready=listens_plain(18884)), 18884


def handshakes(hub, mosquitto, s_server):
    rows = {"hub connect": ("connect", hub), "mosquitto connect": ("connect", mosquitto), "s_server handshake": ("handshake", s_server)}
    costs = {name: [] for name in rows}
    for _ in range(ROUNDS):
        for name, (mode, (process, port)) in rows.items():
            before = cpu(process)
            more = ["--at-once", 1] if mode == "handshake" else ["--count", DEVICES]
            done = json.loads(run(*load(mode, port, "--seconds", SECONDS, *more)))["done"]
            costs[name].append((cpu(process) - before) / done * 1e6)
    for name, values in costs.items():
        print(f"{name:22} {sorted(values)[1]:8.0f} us of server CPU   ({', '.join(f'{v:.0f}' for v in values)})")


def resumed(hub):
    """Full and resumed connects to one hub that sends tickets, in turn."""
    process, port = hub
    costs = {"full": [], "resumed": []}
    for _ in range(ROUNDS):
        for kind, values in costs.items():
            before = cpu(process)
            told = json.loads(run("taskset", "-c", "1", RESUME, "--host", "127.0.0.1", "--port", port, "--name", HUB, "--hub", HUB,
                                  "--cert", cert, "--key", key, "--trust", root, "--seconds", SECONDS,
                                  *(["--full"] if kind == "full" else [])))
            if kind == "resumed" and told["resumed"] < told["done"] - 1:
                raise SystemExit(f"not resumed: {told}")
            values.append((cpu(process) - before) / told["done"] * 1e6)
    for kind, values in costs.items():
        print(f"hub connect, {kind:9} {sorted(values)[1]:8.0f} us of server CPU, tickets on   "
              f"({', '.join(f'{v:.0f}' for v in values)})")


def lookups():
    """The same connects at registries of a thousand and of a million."""
    hubs = {1000: start_hub(1000), 1_000_000: start_hub(1_000_000)}
    costs = {count: [] for count in hubs}
    for _ in range(ROUNDS):
        for count, (process, port) in hubs.items():
            before = cpu(process)
            done = json.loads(run(*load("connect", port, "--seconds", SECONDS, "--count", count)))["done"]
            costs[count].append((cpu(process) - before) / done * 1e6)
    for count, values in costs.items():
        print(f"hub connect at {count:8} registered devices {sorted(values)[1]:8.0f} us of server CPU; "
              f"resident {resident(hubs[count][0]) / 2**20:.0f} MiB   ({', '.join(f'{v:.0f}' for v in values)})")


def idle(*named):
    for name, (process, port) in named:
        before, count = resident(process), 3000
        held = subprocess.Popen(load("hold", port, "--count", count), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if not held.stdout.readline().startswith("held"):
            raise SystemExit(f"{name}: the connections were not held")
        print(f"{name:22} {(resident(process) - before) / count:8.0f} octets of resident memory an idle connection")
        held.stdin.close()
        held.wait()


def publish(*named):
    for window in (16, 1):
        for name, (process, port) in named:
            before = cpu(process)
            told = json.loads(run(*load("publish", port, "--devices", 50, "--window", window, "--seconds", SECONDS)))
            print(f"{name:22} {told['done'] / float(SECONDS):8.0f} QoS 1 messages/s, 50 devices with {window} in flight; "
                  f"{(cpu(process) - before) / told['done'] * 1e6:.0f} us CPU each, p50 {told['p50_us']} us, p99 {told['p99_us']} us")
    stat = run("stat", "-f", "-c", "%T", work).strip()
    times = []
    with open(work / "sync", "wb", buffering=0) as file:
        for _ in range(200):
            file.write(b"x" * 4096)
            begin = time.monotonic()
            os.fdatasync(file.fileno())
            times.append(time.monotonic() - begin)
    print(f"file system {stat}, median fdatasync {sorted(times)[100] * 1e6:.0f} us; mosquitto keeps nothing on disk here")


try:
    hub, mosquitto = start_hub(), start_mosquitto()
    if "handshake" in wanted:
        handshakes(hub, mosquitto, start_s_server())
    if "resume" in wanted:
        resumed(start_hub(1000, "resumption = true\n"))
    if "idle" in wanted:
        idle(("hub", hub), ("mosquitto", mosquitto))
    if "publish" in wanted:
        publish(("hub", hub), ("mosquitto", mosquitto))
    if "lookup" in wanted:
        lookups()
finally:
    for server in servers:
        server.send_signal(signal.SIGTERM)
    for server in servers:
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
    shutil.rmtree(work, ignore_errors=True)
