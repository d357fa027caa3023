"""What `bench/objects` measures."""

import json
import os
import re
import socket
import statistics
import subprocess
import threading
import time
import zlib
from types import SimpleNamespace

from . import procfs
from .clients import OpenSshClient
from .servers import Ours, free_port

MIB = 2**20
FULL = {"uploads": 100, "upload_size": 1024 * MIB, "size": 4096 * MIB, "runs": 3}
QUICK = {"uploads": 100, "upload_size": 64 * MIB, "size": 512 * MIB, "runs": 1}
BUCKET = "bench"
# Of the content that the fake S3 makes; see crates/teststore/src/pattern.rs.
PERIOD = 65_521
LIMIT = 3600
RCLONE = "rclone"


class FakeS3:
    """An S3 in a process of its own, which keeps no bytes."""

    binary = None

    def __init__(self, objects=()):
        self.objects = objects
        self.process = None

    def __enter__(self):
        words = [f"{key}={size}" for key, size in self.objects]
        self.process = subprocess.Popen(
            [self.binary, BUCKET, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.endpoint = self.process.stdout.readline().strip()
        if not self.endpoint:
            raise RuntimeError("the fake S3 does not start")
        return self

    def check(self, key):
        """Its report says what it got."""

    def report(self):
        """Ends it; what it was asked and what it holds, by line."""
        self.process.stdin.close()
        lines = self.process.stdout.read().splitlines()
        self.process.wait(60)
        return lines

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class RcloneServer:
    """`rclone serve s3` over a directory, with one file in the bucket."""

    def __init__(self, site, there):
        self.folder = site.scratch / "served"
        self.bucket = self.folder / BUCKET
        self.bucket.mkdir(parents=True)
        os.link(there, self.bucket / "there")
        self.cache = site.scratch / "served-cache"
        self.log = site.scratch / "served-log"
        self.process = None

    def __enter__(self):
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        command = [RCLONE, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", "bench,bench",
                   "--config", "/dev/null", "--cache-dir", self.cache, self.folder]  # fmt: skip
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"rclone serve s3 does not start: {self.log.read_text()[-500:]}") from None
                time.sleep(0.1)

    def check(self, key):
        """Whether an object is what was uploaded; it is not needed any more."""
        same(self.bucket / "there", self.bucket / key)
        (self.bucket / key).unlink()

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class OursOnS3(Ours):
    """Our server with one account, whose home is the bucket."""

    name = "ours-s3"

    def __init__(self, site, endpoint):
        super().__init__(site)
        self.endpoint = endpoint
        self.temporary = self.home / "tmp"
        self.temporary.mkdir(exist_ok=True)
        self.files = self.home / "files"

    def accounts(self):
        return {}

    def environment(self):
        return {**super().environment(), "TMPDIR": str(self.temporary)}

    def prepare(self):
        super().prepare()
        record = {
            "username": self.user, "status": 1, "home_dir": str(self.files), "permissions": {"/": ["*"]},
            "public_keys": [self.site.public_key.read_text().strip()],
            "filesystem": {"provider": 1, "s3config": {
                "bucket": BUCKET, "region": "us-east-1", "endpoint": self.endpoint,
                "access_key": "bench", "access_secret": "bench",
            }},
        }  # fmt: skip
        dump = self.home / "accounts.json"
        dump.write_text(json.dumps({"users": [record]}))
        self.run("restore", dump)


class Scratch:
    """Looks for files that somebody keeps bytes of uploads in: in directories, and among the open files of a process that have
    no name."""

    def __init__(self, pid, folders):
        self.pid, self.folders = pid, folders
        self.found = set()
        self.looks = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def work(self):
        while not self.done.wait(0.25):
            self.looks += 1
            for folder in self.folders:
                for place, _, names in os.walk(folder):
                    self.found.update(os.path.join(place, name) for name in names)
            for number in os.listdir(f"/proc/{self.pid}/fd"):
                try:
                    leads = os.readlink(f"/proc/{self.pid}/fd/{number}")
                except OSError:
                    continue
                if leads.endswith("(deleted)") and not leads.startswith(("/memfd:", "/dev/zero")):
                    self.found.add(leads)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def memory(site, plan, say):
    """Many uploads at once."""
    count, size = plan["uploads"], plan["upload_size"]
    with FakeS3() as store, OursOnS3(site, store.endpoint) as server:
        base = procfs.memory(server.pid)["rss"]
        procfs.forget_peak(server.pid)
        say(f"{count} uploads of {size // MIB} MiB at once")
        with Scratch(server.pid, [server.files, server.temporary]) as scratch:
            figures = site.load.run(
                server, "put", "/file-{}", "--sessions", count, "--size", size, "--request", 0, limit=LIMIT
            )
        peak = procfs.peak_bytes(server.pid)
        after = procfs.memory(server.pid)["rss"]
        server.stop()
        lines = store.report()
    whole = [line for line in lines if re.fullmatch(rf'"file-\d+": {size} bytes, .*', line)]
    if len(whole) != count or "unfinished uploads: 0" not in lines:
        raise RuntimeError(f"the store has {len(whole)} of {count} files: {lines[-3:]}")
    return {
        "uploads": count, "size": size, "seconds": figures["seconds"], "base": base, "peak": peak, "after": after,
        "looks": scratch.looks, "scratch": sorted(scratch.found)[:10],
    }  # fmt: skip


def fake(site, plan, say):
    """At the fake S3, which is no bottleneck."""
    source = site.scratch / "source"
    crc = write_pattern(source, plan["size"])
    with FakeS3([("there", plan["size"])]) as store:
        found = race(site, plan, say, store, source, [OpenSshClient(site)])
        lines = store.report()
    wanted = f"{plan['size']} bytes, crc32 {crc:08x}"
    uploaded = [line for line in lines if re.fullmatch(rf'"(sftp|rclone)-\d+": {wanted}.*', line)]
    if len(uploaded) != 2 * (plan["runs"] + 1):
        raise RuntimeError(f"what was uploaded is not what was given: {lines}")
    return found


def real(site, plan, say):
    """At a server of S3 that others wrote."""
    source = site.scratch / "source"
    site.load.local("make", source, "--size", plan["size"])
    with RcloneServer(site, source) as store:
        return race(site, plan, say, store, source, [OpenSshClient(site), site.load])


def race(site, plan, say, store, source, clients):
    """One large file each way: clients of SFTP through our server, and rclone by itself, at the same store in turn."""
    size, runs = plan["size"], plan["runs"]
    received = site.scratch / "received"
    job = SimpleNamespace(cipher="gcm", port=None, prefix=(), size=size, request=0, depth=64, window=None)
    racers = [*(client.name for client in clients), "rclone"]
    took = {f"{who} {way}": [] for who in racers for way in ("put", "get")}
    with OursOnS3(site, store.endpoint) as server:
        remote = Rclone(site, store.endpoint)
        for run in range(runs + 1):
            for way in ("put", "get"):
                for client in [*clients, remote]:
                    key = f"{client.name}-{run}" if way == "put" else "there"
                    received.unlink(missing_ok=True)
                    if client is remote:
                        seconds, got = remote.copy(way, key, source, received)
                    else:
                        seconds = client.transfer(server, way, f"/{key}", job, source)
                        # The load generator looks at every byte itself.
                        got = None if client is site.load else client.received()
                    if way == "get" and got:
                        same(source, got)
                        got.unlink()
                    if way == "put":
                        store.check(key)
                    say(f"{client.name} {way}: {seconds:.2f} s")
                    # The first is a warm-up.
                    if run:
                        took[f"{client.name} {way}"].append(seconds)
        server.stop()
    source.unlink(missing_ok=True)
    best = {way: max(ratio(took, name, way) for name in racers[:-1]) for way in ("put", "get")}
    return {
        "size": size, "runs": runs, "racers": racers,
        "rates": {name: [size / MIB / seconds for seconds in all_of] for name, all_of in took.items()},
        "ratios": {f"{name} {way}": ratio(took, name, way) for name in racers[:-1] for way in ("put", "get")},
        "best": best,
    }  # fmt: skip


def ratio(took, name, way):
    """How many times as fast as rclone."""
    return statistics.median(took[f"rclone {way}"]) / statistics.median(took[f"{name} {way}"])


class Rclone:
    """rclone with its defaults, at the store itself."""

    name = "rclone"

    def __init__(self, site, endpoint):
        self.config = site.scratch / "rclone.conf"
        self.config.write_text(
            "[s3]\ntype = s3\nprovider = Other\naccess_key_id = bench\nsecret_access_key = bench\n"
            f"endpoint = {endpoint}\nregion = us-east-1\n"
        )

    def copy(self, way, key, source, received):
        """Seconds of the whole program, and what it wrote."""
        there = f"s3:{BUCKET}/{key}"
        names = (source, there) if way == "put" else (there, received)
        command = [RCLONE, "--config", self.config, "copyto", "--retries", "1", *names]
        begun = time.monotonic()
        run = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=LIMIT)
        seconds = time.monotonic() - begun
        if run.returncode != 0:
            raise RuntimeError(f"rclone: {run.stderr.strip()}")
        return seconds, received


def write_pattern(path, size):
    """Writes what the fake S3 serves; its CRC-32."""
    block = bytes(pattern()) * 64
    crc, left = 0, size
    with open(path, "wb") as file:
        while left:
            piece = block[: min(left, len(block))]
            file.write(piece)
            crc = zlib.crc32(piece, crc)
            left -= len(piece)
    return crc


def pattern():
    """One period of it, by xorshift."""
    state, mask = 88_172_645_463_325_252, 2**64 - 1
    for _ in range(PERIOD):
        state ^= state << 13 & mask
        state ^= state >> 7
        state ^= state << 17 & mask
        yield state >> 56


def same(one, other):
    run = subprocess.run(["cmp", str(one), str(other)], capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"what arrived differs: {run.stdout}{run.stderr}")
