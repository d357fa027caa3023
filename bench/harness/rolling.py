"""The command line of `bench/rolling`: nodes on one PostgreSQL and one bucket, behind haproxy, restarted in turn under load.

Every client does what scripts do: a file goes up, comes back and is compared, is renamed, and now and then removed; whatever
fails is tried again. Some files take longer than the nodes wait for them. Afterwards the bucket must hold exactly what was
acknowledged, and the account's counters must say so. Nodes go in three ways: the balancer is told before, it is not, and the node
is killed."""

import argparse
import contextlib
import hashlib
import json
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from . import machine, stores
from .clients import Load
from .databases import Postgresql
from .main import BENCH, build
from .parts import describe, say
from .servers import Ours, Site, free_port
from .stores import BUCKET, RcloneServer

MIB = 2**20
NODES = 3
# What a script does before it gives up. A large file may meet the stop of one node after the other.
ATTEMPTS = 8
# One attempt, with its retries within the client.
LIMIT = 120
# What is large is uploaded at this rate: longer than a node that stops waits for it.
LARGE, RATE = 90 * MIB, 3 * MIB
# One client of so many has large files.
PATIENT = 4
# Between two nodes: whoever restarts them looks first whether the last one serves.
PAUSE = 8.0
# For a node to be let go of by the balancer, to stop, and to be back.
DRAIN = 60.0
STOP = 45.0
BACK = 60.0
# For the servers to count what a killed one left uncounted.
SCANNED = 300.0

# How nodes go, with what the report says of it.
WAYS = {
    "told": "the balancer was told before each stop, and the node had no sessions left, or a minute was over",
    "stopped": "nodes were stopped (SIGTERM) without a word to the balancer",
    "killed": "nodes were killed (SIGKILL) without a word to anybody",
}

HAPROXY = """global
    stats socket {socket} level admin
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    # A node that does not answer is not the end: another one is asked.
    retries 3
    option redispatch
listen sftp
    bind 127.0.0.1:{port}
    balance leastconn
    option httpchk GET /healthz
    default-server check inter 500ms fall 2 rise 1 send-proxy-v2
{servers}
"""


class Node(Ours):
    """One of several servers that share a database and a bucket."""

    def __init__(self, site, number, database, endpoint):
        self.name = f"node{number}"
        super().__init__(site)
        self.database = database
        self.endpoint = endpoint
        # They stay the same over a restart: the balancer knows them.
        self.ssh, self.http = free_port(), free_port()
        self.files = self.home / "files"

    def accounts(self):
        return {}

    def settings(self):
        settings = super().settings()
        settings["data_provider"] = {**self.database.settings(), "track_quota": 1}
        settings["sftpd"].update(
            bind_port=self.ssh, proxy_protocol=2, proxy_allowed=["127.0.0.1"], max_auth_tries=0
        )
        settings["httpd"] = {"bind_port": self.http, "bind_address": "127.0.0.1"}
        return settings

    def account(self, name):
        """Stored once, for all nodes; its home is the folder of its name in the bucket."""
        record = {
            "username": name, "status": 1, "home_dir": "/srv/shared", "permissions": {"/": ["*"]},
            "public_keys": [self.site.public_key.read_text().strip()], "quota_files": 1_000_000,
            "filesystem": {"provider": 1, "s3config": {
                "bucket": BUCKET, "region": "us-east-1", "endpoint": self.endpoint, "key_prefix": f"{name}/",
                "access_key": "bench", "access_secret": "bench",
            }},
        }  # fmt: skip
        dump = self.home / "accounts.json"
        dump.write_text(json.dumps({"users": [record]}))
        self.run("restore", dump)

    def ask(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=5) as answer:
            return answer.read()

    def serve(self):
        """Starts it; the balancer's own question tells when it is there."""
        with open(self.home / "output", "ab") as output:
            self.process = subprocess.Popen(
                [*map(str, self.command())], cwd=self.home, env=self.environment(), stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + BACK
        while True:
            with contextlib.suppress(OSError):
                self.ask("/healthz")
                return
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.name} does not start: {self.complaint()}")
            time.sleep(0.05)

    def restart(self, number):
        """As an upgrade does it (SIGTERM), or a failing machine (SIGKILL); gives how long the stop took, in seconds."""
        began = time.monotonic()
        self.process.send_signal(number)
        status = self.process.wait(STOP)
        stopped = time.monotonic() - began
        if status != (0 if number == signal.SIGTERM else -number):
            raise RuntimeError(f"{self.name} ended with {status}: {self.complaint()}")
        self.serve()
        return stopped


class Haproxy:
    """The balancer, with a socket for orders."""

    def __init__(self, site, nodes):
        self.site = site
        self.nodes = nodes
        self.port = free_port()
        self.socket = site.scratch / "haproxy.sock"
        self.process = None

    def __enter__(self):
        servers = "\n".join(
            f"    server {node.name} 127.0.0.1:{node.ssh} port {node.http} addr 127.0.0.1 check" for node in self.nodes
        )
        config = self.site.scratch / "haproxy.cfg"
        config.write_text(HAPROXY.format(socket=self.socket, port=self.port, servers=servers))
        self.process = subprocess.Popen(["/usr/sbin/haproxy", "-db", "-f", config], stdin=subprocess.DEVNULL)
        for node in self.nodes:
            self.until(node, lambda row: row["status"] == "UP", BACK)
        return self

    def order(self, text):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.socket))
            connection.sendall(f"{text}\n".encode())
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        return answer.decode()

    def row(self, node):
        header, *lines = self.order("show stat").lstrip("# ").splitlines()
        names = header.split(",")
        rows = (dict(zip(names, line.split(","))) for line in lines if line)
        return next(row for row in rows if row["svname"] == node.name)

    def until(self, node, wanted, limit):
        """Waits for it; whether it came true."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                if wanted(self.row(node)):
                    return True
            if self.process.poll() is not None:
                raise RuntimeError("haproxy ended")
            time.sleep(0.05)
        return False

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


class Client:
    """One who moves files all the time with OpenSSH's `sftp`, and tries again what fails."""

    def __init__(self, number, user, site, port, ended):
        self.number = number
        self.user = user
        self.site = site
        self.port = port
        self.ended = ended
        self.patient = number % PATIENT == 0
        self.work = site.scratch / f"client{number}"
        self.work.mkdir(exist_ok=True)
        self.random = random.Random(number)
        # What must be in the bucket: name to digest.
        self.expected = {}
        self.operations = 0
        self.again = 0
        self.most = 1
        self.lost = []
        self.slowest = 0.0
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        count = 0
        while not self.ended.is_set():
            self.round(f"c{self.number}-{count}")
            count += 1

    def round(self, name):
        local, back = self.work / "local", self.work / "back"
        size = LARGE if self.patient else self.random.choice((1000, MIB, 12 * MIB))
        local.write_bytes(self.random.randbytes(size))
        digest = hashlib.sha256(local.read_bytes()).hexdigest()
        # A retry after an answer that got lost finds its work done; so do the clients of people.
        if not self.batch(f"put {local} {name}.part", rate=RATE if self.patient else None):
            return
        if not self.batch(f"-rename {name}.part {name}\nls {name}"):
            return
        self.expected[name] = digest
        if self.batch(f"get {name} {back}") and hashlib.sha256(back.read_bytes()).hexdigest() != digest:
            self.lost.append(f"{name} came back other than it went")
        if self.random.random() < 0.3 and self.batch(f"rm {name}", done="No such file"):
            del self.expected[name]

    def batch(self, commands, done=None, rate=None):
        """Whether it went well, at last; `done` is what the server says if an attempt before did it already. Bytes per second."""
        limit = ["-l", str(rate * 8 // 1024)] if rate else []
        for attempt in range(ATTEMPTS):
            began = time.monotonic()
            run = subprocess.run(
                ["sftp", "-F", "none", "-q", "-b", "-", *limit, "-P", str(self.port), "-i", self.site.key,
                 "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                 "-o", "ConnectTimeout=20", "-o", "IdentitiesOnly=yes", f"{self.user}@127.0.0.1"],
                input=commands + "\n", capture_output=True, text=True, timeout=LIMIT,
            )  # fmt: skip
            if not rate:
                self.slowest = max(self.slowest, time.monotonic() - began)
            self.most = max(self.most, attempt + 1)
            if run.returncode == 0 or (attempt and done and done in run.stderr):
                self.operations += 1
                return True
            self.again += 1
            time.sleep(0.5 * (attempt + 1))
        self.lost.append(f"{commands!r}: {run.stderr.strip()[-300:]}")
        return False


def arguments():
    parser = argparse.ArgumentParser(prog="bench/rolling", description=__doc__)
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2, help="how often each node is restarted")
    parser.add_argument("--ways", default=",".join(WAYS), help=f"how nodes go, with commas: {', '.join(WAYS)}")
    parser.add_argument("--no-build", action="store_true", help="take the program as it is")
    parser.add_argument("--binary", type=Path, help="another build of our server")
    parser.add_argument("--rclone", default="rclone", help="an rclone that can `serve s3` (1.65 or later)")
    parser.add_argument("--out", type=Path, default=BENCH / "RESULTS-rolling.md")
    args = parser.parse_args()
    args.quick = False
    args.ways = args.ways.split(",")
    if unknown := set(args.ways) - WAYS.keys():
        parser.error(f"--ways: {', '.join(sorted(unknown))}: not one of {', '.join(WAYS)}")
    return args


def roll(balancer, nodes, rounds, way):
    """Restarts every node in turn; a row for each."""
    rows = []
    told = way == "told"
    for number in range(rounds):
        for node in nodes:
            sessions = int(balancer.row(node)["scur"])
            drained = 0.0
            if told:
                began = time.monotonic()
                balancer.order(f"set server sftp/{node.name} state drain")
                balancer.until(node, lambda row: row["scur"] == "0", DRAIN)
                drained = time.monotonic() - began
            left = int(balancer.row(node)["scur"])
            stopped = node.restart(signal.SIGKILL if way == "killed" else signal.SIGTERM)
            if told:
                balancer.order(f"set server sftp/{node.name} state ready")
            if not balancer.until(node, lambda row: row["status"] == "UP", BACK):
                raise RuntimeError(f"{node.name} is not taken back")
            rows.append((number + 1, node.name, sessions, drained, left, stopped))
            say(f"{way}: {node.name}: {sessions} sessions, drained {drained:.1f} s, {left} left, stopped in {stopped:.1f} s")
            time.sleep(PAUSE)
    return rows


def objects(folder):
    """What is in the bucket; uploads that nobody ended are not, though rclone keeps them there."""
    return [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".rclone_temp_multipart_")]


def compare(folder, expected):
    """What the bucket holds that it should not, and what it does not hold that it should."""
    wrong = []
    there = {path.name: path for path in objects(folder)}
    for name, digest in expected.items():
        path = there.pop(name, None)
        if path is None:
            wrong.append(f"{name} is missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            wrong.append(f"{name} is not what was acknowledged")
    return wrong, sorted(there)


def count(node, user, folder):
    """Files and bytes: what the database counts for the account, and what the bucket holds. The other servers scan the accounts
    of one that was killed, some time later: also how long it took, in seconds, until both were the same."""
    files = objects(folder)
    real = (len(files), sum(path.stat().st_size for path in files))
    began = time.monotonic()
    while True:
        record = json.loads(node.ask(f"/api/v1/user?username={user}"))[0]
        counted = (record["used_quota_files"], record["used_quota_size"])
        waited = time.monotonic() - began
        if counted == real or waited > SCANNED:
            return counted, real, waited
        time.sleep(0.5)


def restart(args, way, site, store, nodes, balancer):
    """One way of going, under load; its part of the report, and whether nothing was lost."""
    # rclone remembers what it has listed, and counters stay: each way has a user and a folder of its own.
    folder = store.bucket / way
    folder.mkdir()
    nodes[0].account(way)
    ended = threading.Event()
    clients = [Client(number, way, site, balancer.port, ended) for number in range(args.clients)]
    began = time.monotonic()
    for client in clients:
        client.thread.start()
    try:
        time.sleep(PAUSE)
        rows = roll(balancer, nodes, args.rounds, way)
    finally:
        ended.set()
        for client in clients:
            client.thread.join()
    seconds = time.monotonic() - began
    expected = {name: digest for client in clients for name, digest in client.expected.items()}
    wrong, more = compare(folder, expected)
    return report(way, rows, clients, seconds, wrong, more, *count(nodes[0], way, folder))


def main():
    args = arguments()
    machine.install_missing(["openssh", "postgresql", "haproxy"])
    stores.RCLONE = args.rclone
    Ours.binary, load = build(args)
    scratch = tempfile.mkdtemp(prefix="sftp-rolling-", dir="/dev/shm")
    try:
        site = Site(scratch, Load(load))
        (site.scratch / "there").write_bytes(b"")
        with contextlib.ExitStack() as stack:
            database = stack.enter_context(Postgresql(scratch))
            database.empty()
            store = stack.enter_context(RcloneServer(site, site.scratch / "there"))
            nodes = [Node(site, number, database, store.endpoint) for number in range(1, NODES + 1)]
            for node in nodes:
                node.prepare()
            for node in nodes:
                stack.callback(node.stop)
                node.serve()
            balancer = stack.enter_context(Haproxy(site, nodes))
            meta = {**describe(args), "database": database.version(), "haproxy": machine.first_line("/usr/sbin/haproxy", "-v"),
                    "store": machine.first_line(args.rclone, "version")}  # fmt: skip
            parts = [restart(args, way, site, store, nodes, balancer) for way in args.ways]
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    text = "\n".join([heading(args, meta), *(text for text, _ in parts)])
    print(text)
    args.out.write_text(text)
    return 0 if all(good for _, good in parts) else 1


def heading(args, meta):
    lines = ["# Results: rolling restart", "", "Written by `bench/rolling`; [docs/scaling-out.md](../docs/scaling-out.md) says what it does.", ""]
    about = {**meta.pop("machine"), **meta}
    lines += [f"- {key}: {value}" for key, value in about.items() if key not in ("quick", "cores")]
    patient = len(range(0, args.clients, PATIENT))
    lines += [
        f"- {NODES} nodes, each restarted {args.rounds} times, one after the other, {PAUSE:.0f} s after the last was back",
        f"- {args.clients} clients (OpenSSH's `sftp`); {patient} of them upload {LARGE // MIB} MiB at {RATE // MIB} MiB/s, the others up to 12 MiB",
    ]
    return "\n".join(lines) + "\n"


def report(way, rows, clients, seconds, wrong, more, counted, real, waited):
    lost = [line for client in clients for line in client.lost]
    checks = [
        ("operations that failed for good", len(lost), not lost),
        ("files that are missing or not what was acknowledged", len(wrong), not wrong),
        (f"files and bytes that the database counts, {waited:.0f} s later", f"{counted[0]:,}, {counted[1]:,}", counted == real),
        ("files and bytes in the bucket", f"{real[0]:,}, {real[1]:,}", counted == real),
    ]
    operations = sum(client.operations for client in clients)
    again = sum(client.again for client in clients)
    slowest = max((client.slowest for client in clients if not client.patient), default=0)
    most = max(client.most for client in clients) - 1
    often = "once" if most == 1 else f"{most} times"
    lines = [
        f"## {way.capitalize()}", "",
        f"{WAYS[way][0].upper()}{WAYS[way][1:]}.", "",
        f"{operations:,} operations in {seconds:.0f} s; {again} attempts failed and were made again, at most "
        f"{often} each; the slowest that was not to be slow took {slowest:.1f} s.",
        "", "| check | found | |", "|---|---|---|",
    ]  # fmt: skip
    lines += [f"| {name} | {found} | {'pass' if good else '**FAIL**'} |" for name, found, good in checks]
    lines += ["", "| round | node | sessions before | drained for | sessions left | stopped in |", "|---|---|---|---|---|---|"]
    lines += [f"| {r} | {n} | {s} | {d:.1f} s | {left} | {t:.1f} s |" for r, n, s, d, left, t in rows]
    if more:
        lines += ["", f"Left by attempts that failed, and not acknowledged: {len(more)} files."]
    lines += [f"- {line}" for line in (*lost[:20], *wrong[:20])]
    return "\n".join(lines) + "\n", all(good for *_, good in checks)
