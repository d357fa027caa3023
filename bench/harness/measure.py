"""The measurements. Each gives a section of results: what was measured, as plain data, for report.py to render."""

import hashlib
import itertools
import json
import select
import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass

from . import procfs
from .clients import CIPHERS, OpenSshClient, OpenSshExec, OpenSshScp
from .network import Netem, Relay, netem_trouble

GIB = 2**30
MIB = 2**20


@dataclass
class Job:
    """How one file is moved."""

    cipher: str
    size: int
    request: int = 32768
    depth: int = 64
    window: int = 0
    port: int = 0
    prefix: tuple = ()


def spread(samples):
    return {"median": statistics.median(samples), "min": min(samples), "max": max(samples), "runs": len(samples)}


def spreads(rows):
    """Turns a list of dictionaries into one dictionary of spreads."""
    return {name: spread([row[name] for row in rows]) for name in rows[0]} if rows else None


def alternate(servers, runs, work):
    """Runs `work(server, number)` in turn for every server, so that a change of the machine's mood hits all alike. The
    first round warms up and does not count, and every round begins with another server."""
    if not servers:
        return {}
    rows = {server.name: [] for server in servers}
    for number in range(runs + 1):
        shift = number % len(servers)
        for server in servers[shift:] + servers[:shift]:
            row = work(server, number)
            if number > 0:
                rows[server.name].append(row)
    return {name: spreads(found) for name, found in rows.items()}


def file_digest(path, algorithm):
    with open(path, "rb", buffering=0) as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def sha256(path):
    return file_digest(path, "sha256")


class Bench:
    """A run: the site, the servers, the clients and how much to do."""

    def __init__(self, site, load, servers, plan):
        self.site = site
        self.load = load
        self.servers = servers
        self.plan = plan
        self.sftp = OpenSshClient(site)
        self.scp_client = OpenSshScp(site)
        self.ssh = OpenSshExec(site)
        self.digest_of = {}
        self.numbers = itertools.count()

    def say(self, *words):
        print(f"[{time.strftime('%H:%M:%S')}]", *words, flush=True)

    def big(self, size):
        """Lays out the file that is downloaded, and remembers its digest."""
        path = self.site.data / f"big-{size}"
        if not path.exists():
            self.digest_of[size] = self.load.local("make", path, "--size", size)["sha256"]
        return path.name

    def started(self, servers, prefix=()):
        """Starts the servers; a context that stops them again."""
        return Running(servers, prefix)

    def move(self, server, client, direction, job):
        """One transfer with everything that is measured, and the check of the file."""
        source = self.big(job.size)
        target = f"up-{server.name}-{next(self.numbers)}"
        procfs.settle(server.pid, 1)
        before = procfs.cpu_seconds(server.pid)
        remote = server.remote(source if direction == "get" else target)
        seconds = client.transfer(server, direction, remote, job, self.site.data / source)
        procfs.settle(server.pid, 1)
        cpu = procfs.cpu_seconds(server.pid) - before
        self.check(server, client, direction, job, target)
        return {"cpu": cpu / (job.size / GIB), "wall": job.size / MIB / seconds}

    def check(self, server, client, direction, job, target):
        """Compares the digest of what arrived. The load generator compares downloads itself, byte by byte."""
        if direction == "get" and client is self.load:
            return
        arrived = client.received() if direction == "get" else self.site.data / target
        if sha256(arrived) != self.digest_of[job.size]:
            raise RuntimeError(f"{server.title}: {direction} of {arrived.name}: the digest differs")
        arrived.unlink()

    # Sections

    def transfers(self, cipher):
        """CPU per GiB and wall throughput of one stream."""
        section = {}
        servers = [server for server in self.servers if cipher in server.ciphers]
        with self.started(servers):
            for client in self.clients():
                # Other peers than OpenSSH are there for orientation: with its client only.
                chosen = servers if client is self.sftp else [s for s in servers if s.name in ("openssh", "ours")]
                for direction in ("get", "put"):
                    job = Job(cipher, self.plan["size"])
                    self.say(f"{CIPHERS[cipher]}: {direction} with {client.title}")
                    section[f"{client.name} {direction}"] = alternate(
                        chosen,
                        self.plan["runs"],
                        lambda server, _: self.move(server, client, direction, job),
                    )
        return section

    def scp(self):
        """As `transfers`, with the old protocol of scp, for the servers that have it."""
        section = {}
        servers = self.with_commands()
        client = self.scp_client
        with self.started(servers):
            for cipher in CIPHERS:
                for direction in ("get", "put"):
                    job = Job(cipher, self.plan["size"])
                    self.say(f"{CIPHERS[cipher]}: {direction} with {client.title}")
                    section[f"{cipher} {direction}"] = alternate(
                        servers, self.plan["runs"], lambda server, _: self.move(server, client, direction, job)
                    )
        return section

    def digest(self):
        """Digests of one file by exec requests. What OpenSSH runs is the system's program."""
        section = {}
        servers = self.with_commands()
        job = Job("gcm", self.plan["size"])
        name = self.big(job.size)
        wanted = {"md5sum": file_digest(self.site.data / name, "md5"), "sha256sum": self.digest_of[job.size]}

        def run(server, program):
            before = procfs.cpu_seconds(server.pid)
            seconds, output = self.ssh.output(server, job, f"{program} {server.remote(name)}")
            procfs.settle(server.pid, 1)
            cpu = procfs.cpu_seconds(server.pid) - before
            if output.split() != [wanted[program], server.remote(name)]:
                raise RuntimeError(f"{server.title}: {program} printed {output.strip()}")
            return {"cpu": cpu / (job.size / GIB), "wall": job.size / MIB / seconds}

        with self.started(servers):
            for program in wanted:
                self.say(f"{program} of {job.size // MIB} MiB")
                section[program] = alternate(servers, self.plan["runs"], lambda server, _: run(server, program))
        return section

    def with_commands(self):
        """Servers that run scp and the like."""
        return [server for server in self.servers if server.name in ("openssh", "ours")]

    def clients(self):
        return [client for client in (self.sftp, self.load) if client.name in self.plan["clients"]]

    def small(self):
        """Many small files in one session."""
        files = self.plan["small_files"]
        self.load.local("make", self.site.data / "small", "--files", files, "--size", 4096)
        section = {"files": files}

        def run(server, number, direction):
            name = "small" if direction == "get" else f"small-{server.name}-{next(self.numbers)}"
            words = ["small", direction, server.remote(name), "--files", files, "--size", 4096]
            words += ["--mkdir"] if direction == "put" else []
            before = procfs.cpu_seconds(server.pid)
            figures = self.load.run(server, *words)
            procfs.settle(server.pid, 1)
            cpu = procfs.cpu_seconds(server.pid) - before
            if direction == "put":
                path = self.site.data / name
                self.load.local("check", path, "--files", files, "--size", 4096)
                shutil.rmtree(path)
            return {"rate": figures["per_second"], "cpu": cpu / files * 1e6}

        with self.started(self.servers):
            for direction in ("get", "put"):
                self.say(f"{files} files of 4 KiB: {direction}")
                section[direction] = alternate(
                    self.servers, self.plan["runs"], lambda s, n: run(s, n, direction)
                )
        shutil.rmtree(self.site.data / "small")
        return section

    def login(self):
        """Logins per second. Each run takes about as long, however fast the server is."""
        counts = {}

        def run(server, number):
            count = counts.get(server.name, self.plan["login_probe"])
            before = procfs.cpu_seconds(server.pid)
            figures = self.load.run(server, "login", "--count", count, "--parallel", 32)
            procfs.settle(server.pid, 1)
            cpu = procfs.cpu_seconds(server.pid) - before
            rate = figures["per_second"]
            counts[server.name] = max(64, min(20000, int(rate * self.plan["login_seconds"])))
            return {"rate": rate, "cpu": cpu / count * 1e3, "p99": figures["login_ms"]["p99"]}

        self.say("logins")
        with self.started(self.servers):
            return alternate(self.servers, self.plan["runs"], run)

    def idle(self):
        """Memory of sessions that do nothing, on a server that has just started."""
        section = {}
        for server in self.servers:
            count = self.plan["idle"] if server.name in ("ours", "rclone") else self.plan["idle_forked"]
            rows = []
            for _ in range(self.plan["idle_runs"]):
                self.say(f"{count} idle sessions: {server.title}")
                with self.started([server]):
                    rows.append(self.idle_once(server, count))
            section[server.name] = {"sessions": count, **spreads(rows)}
        return section

    def idle_once(self, server, count):
        before = procfs.memory(server.pid)
        command = self.load.command(server, "idle", "--sessions", count)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        holder = subprocess.Popen(command, **pipes)
        try:
            if not select.select([holder.stdout], [], [], 300)[0]:
                raise RuntimeError(f"{server.title}: {count} sessions are not open after 300 s")
            if "ready" not in holder.stdout.readline():
                raise RuntimeError(f"{server.title}: it does not take {count} sessions")
            time.sleep(2)
            held = procfs.memory(server.pid)
            rest, _ = holder.communicate("\n", timeout=120)
            if json.loads(rest)["alive"] != count:
                raise RuntimeError(f"{server.title}: not every session was still there")
        finally:
            holder.kill()
            holder.wait()
        return {
            "pss": (held["pss"] - before["pss"]) / count,
            "rss": (held["rss"] - before["rss"]) / count,
            "total": held["pss"],
        }

    def list(self):
        """One large directory."""
        files = self.plan["list_files"]
        self.load.local("make", self.site.data / "list", "--files", files, "--size", 0)
        few = files // 10
        self.load.local("make", self.site.data / "few", "--files", few, "--size", 0)
        section = {"files": files}
        low = {}
        peak = {}

        def run(server, number):
            if number == 0:
                with procfs.PeakRss(server.pid) as watch:
                    self.load.run(server, "list", server.remote("few"), "--files", few)
                low[server.name] = watch.peak
            before = procfs.cpu_seconds(server.pid)
            with procfs.PeakRss(server.pid) as watch:
                figures = self.load.run(server, "list", server.remote("list"), "--files", files)
            procfs.settle(server.pid, 1)
            cpu = procfs.cpu_seconds(server.pid) - before
            peak[server.name] = max(peak.get(server.name, 0), watch.peak)
            return {"rate": figures["per_second"], "cpu": cpu / files * 1e6}

        self.say(f"a directory of {files} files")
        with self.started(self.servers):
            section["rates"] = alternate(self.servers, self.plan["runs"], run)
        section["growth"] = {name: max(0, peak[name] - low[name]) for name in peak}
        shutil.rmtree(self.site.data / "list")
        shutil.rmtree(self.site.data / "few")
        return section

    def rtt(self):
        """One stream over 100 ms of round trip."""
        trouble = netem_trouble()
        section = {"way": "netem" if trouble is None else "relay", "trouble": trouble}
        servers = [s for s in self.servers if s.name in ("openssh", "ours")]
        network = Netem(50) if trouble is None else Relay(self.load, 50)
        with network, self.started(servers, network.prefix):
            for client in self.clients():
                for direction in ("get", "put"):
                    self.say(f"100 ms of round trip ({section['way']}): {direction} with {client.title}")

                    def run(server, _):
                        job = Job("gcm", self.plan["rtt_size"], request=0, depth=256, window=64 * MIB)
                        job.port, job.prefix = network.port(server), network.prefix
                        return self.move(server, client, direction, job)

                    section[f"{client.name} {direction}"] = alternate(servers, self.plan["rtt_runs"], run)
        return section

    def limit(self):
        """What a download costs at least on this machine, from its parts."""
        self.say("the limit, from its parts")
        rows = [self.load.local("limit") for _ in range(5)]
        return {
            kind: {name: statistics.median(row[kind][name] for row in rows) for name in names}
            for kind, names in rows[0].items()
        }


class Running:
    """Servers that run while the block does."""

    def __init__(self, servers, prefix=()):
        self.servers = servers
        self.prefix = prefix

    def __enter__(self):
        try:
            for server in self.servers:
                server.start(self.prefix)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.stop()
