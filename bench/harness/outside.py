"""Loops of real clients beside the mixed load: OpenSSH's scp with the old protocol, and rsync. Each works on local files, has
the server hold the same, and compares."""

import os
import random
import shutil
import subprocess
import threading
import time

from .measure import sha256

# Longest time of one command. One that takes longer hangs.
LIMIT = 60
SIZES = [0, 1, 4096, 32768, 32769, 100_000, 700_000, 2_000_000]


class Failure(Exception):
    """A client failed, or what arrived differs."""


def digests(root):
    """Every file and link below a directory, by relative path."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            key = os.path.relpath(path, root)
            if os.path.islink(path):
                found[key] = "-> " + os.readlink(path)
            elif os.path.isdir(path):
                found[key] = "directory"
            else:
                found[key] = sha256(path)
    return found


class Client:
    """One loop. Subclasses say what one round is."""

    name = ""

    def __init__(self, server, account, folder, seed):
        self.server, self.account, self.folder = server, account, folder
        self.random = random.Random(f"{seed} {self.name}")
        self.folder.mkdir(parents=True)
        self.seconds = 1_000_000_000
        self.took = []
        self.failures = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def options(self):
        key = self.server.site.key
        return ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-i", str(key)]  # fmt: skip

    def call(self, *command):
        """A client program, which must succeed in time."""
        env = {k: v for k, v in os.environ.items() if k != "SSH_AUTH_SOCK"}
        try:
            run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            raise Failure(f"{command[0]} hangs: {' '.join(command)}") from None
        if run.returncode != 0:
            said = (run.stdout + run.stderr).strip()[-400:]
            raise Failure(f"{' '.join(command)}: status {run.returncode}: {said}")

    def same(self, what, wanted, found):
        if wanted != found:
            odd = [name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)]
            raise Failure(f"{what}: {len(odd)} entries differ: {', '.join(sorted(odd)[:5])}")

    def write(self, path):
        """New content. Its beginning is random, so no two files are alike; the rest repeats."""
        size = self.random.choice(SIZES)
        block = self.random.randbytes(min(size, 4096))
        path.write_bytes((block * (size // 4096 + 1))[:size])
        self.touch(path)

    def touch(self, path):
        """A time of its own: rsync takes files of one size and time for equal, and the clock of the kernel is coarse."""
        self.seconds += 1
        os.utime(path, (self.seconds, self.seconds))

    def work(self):
        while not self.stop.is_set():
            begun = time.monotonic()
            try:
                self.round()
                self.took.append(time.monotonic() - begun)
            except Failure as failure:
                self.failures.append(str(failure))
                print(f"{self.name}: {failure}", flush=True)
                if len(self.failures) >= 10:
                    return
                self.stop.wait(1)

    def round(self):
        raise NotImplementedError

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def report(self):
        return {
            "rounds": len(self.took),
            "slowest": max(self.took, default=0),
            "failures": self.failures,
        }


class Scp(Client):
    """`scp -O`: a file and a tree, up and down."""

    name = "scp -O"

    def round(self):
        sent, got = self.folder / "sent", self.folder / "got"
        for path in (sent, got):
            shutil.rmtree(path, ignore_errors=True)
        (sent / "inner dir").mkdir(parents=True)
        got.mkdir()
        for name in ("a", "with space", "inner dir/b", "inner dir/c"):
            self.write(sent / name)
        number = self.random.randrange(4)
        scp = ["scp", "-O", "-q", "-P", str(self.server.port), *self.options()]
        there = f"{self.account}@127.0.0.1:"
        self.call(*scp, str(sent / "a"), f"{there}/scp-file-{number}")
        self.call(*scp, f"{there}/scp-file-{number}", str(got / "a"))
        if sha256(sent / "a") != sha256(got / "a"):
            raise Failure("a file differs after scp up and down")
        self.call(*scp, "-r", "-p", str(sent), f"{there}/scp-tree-{number}/")
        self.call(*scp, "-r", f"{there}/scp-tree-{number}/sent", str(got))
        self.same("scp -r", digests(sent), digests(got / "sent"))

    def prepare(self, home):
        for number in range(4):
            (home / f"scp-tree-{number}").mkdir()


class Rsync(Client):
    """`rsync -a --delete` of a tree that changes, up and down."""

    name = "rsync"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.tree, self.back = self.folder / "tree", self.folder / "back"
        self.tree.mkdir()

    def round(self):
        self.change()
        shell = " ".join(["ssh", "-p", str(self.server.port), *self.options()])
        rsync = ["rsync", "-a", "--delete", "-e", shell]
        there = f"{self.account}@127.0.0.1:/rsync/"
        self.call(*rsync, f"{self.tree}/", there)
        wanted = digests(self.tree)
        self.same("rsync up", wanted, digests(self.server.homes[self.account] / "rsync"))
        self.call(*rsync, there, f"{self.back}/")
        self.same("rsync down", wanted, digests(self.back))
        # As a client that asks the server, too.
        self.call(*rsync, "--checksum", "--dry-run", "--itemize-changes", f"{self.tree}/", there)

    def change(self):
        """Some files come, change, move and go."""
        for _ in range(12):
            folder = self.tree / f"d{self.random.randrange(4)}"
            folder.mkdir(exist_ok=True)
            path = folder / f"f {self.random.randrange(12)}"
            kind = self.random.randrange(8)
            if kind == 0:
                path.unlink(missing_ok=True)
            elif kind == 1 and path.exists():
                path.rename(folder / f"moved {self.random.randrange(6)}")
            elif kind == 2 and path.exists():
                # A change inside, for the rolling checksum.
                with open(path, "r+b") as file:
                    file.seek(path.stat().st_size // 2)
                    file.write(self.random.randbytes(10))
                self.touch(path)
            else:
                self.write(path)
        if self.random.randrange(5) == 0:
            shutil.rmtree(self.tree / f"d{self.random.randrange(4)}", ignore_errors=True)

    def prepare(self, home):
        pass


def usage(home):
    """Regular files and their bytes below a directory."""
    files = size = 0
    for folder, _, names in os.walk(home):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                files += 1
                size += os.lstat(path).st_size
    return {"files": files, "size": size}


def digest_of(path):
    """Of a file that the load generator names in its manifest; None if it is not there."""
    try:
        return sha256(path)
    except OSError:
        return None
