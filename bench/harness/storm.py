"""A storm of password logins beside a transfer: `bench/accounts logins`."""

import os
import threading
import time

from . import procfs
from .crowd import Crowd
from .databases import Sqlite
from .measure import MIB

# A storm of one user is over in two seconds, which is not long enough for the speed of a transfer.
FULL = {"logins": 2000, "parallel": 64, "rounds": 5, "size": 64 * MIB, "alone": 10.0, "rest": 5.0}
QUICK = {"logins": 128, "parallel": 64, "rounds": 2, "size": 32 * MIB, "alone": 2.0, "rest": 1.0}

# A hash for each of 2,000 logins takes minutes, on a machine that does something else as well many.
LIMIT = 3600

# What the server allows all hashes that are computed at a time: 64 MiB for each core, 256 MiB at least
# (core/src/auth/password/hasher.rs); and a MiB for each of the connections.
HASHES = max(256, 64 * os.cpu_count()) * MIB


def bound(plan):
    """How far resident memory may rise in the storm."""
    return HASHES + plan["parallel"] * MIB


class Downloads:
    """Downloads one file again and again until the block ends. Logins between them, with the key, are not in the speed."""

    def __init__(self, server, name, size):
        self.server, self.name, self.size = server, name, size
        self.rows = []
        self.trouble = None
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def work(self):
        words = ["get", self.server.remote(self.name), "--size", self.size]
        while not self.done.is_set():
            begun = time.monotonic()
            try:
                figures = self.server.site.load.run(self.server, *words)
            except Exception as trouble:  # noqa: BLE001: whoever waits for this thread hears of it.
                self.trouble = trouble
                return
            self.rows.append((begun, time.monotonic(), figures["seconds"]))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.done.set()
        self.thread.join()
        if self.trouble and kind is None:
            raise self.trouble

    def between(self, *spans):
        """Transfers that began and ended in one of the spans: how many, and their MiB/s."""
        within = lambda row: any(begin <= row[0] and row[1] <= end for begin, end in spans)  # noqa: E731
        took = [row[2] for row in self.rows if within(row)]
        return {"count": len(took), "speed": len(took) * self.size / MIB / sum(took) if took else None}


def run(site, plan, say):
    """Everything that the part measures."""
    with Sqlite() as database:
        server = Crowd(site, "storm", database, plan["logins"] + 1)
        with server:
            site.load.local("make", site.data / "storm", "--size", plan["size"])
            results = {"logins": plan["logins"], "parallel": plan["parallel"], "size": plan["size"], "bound": bound(plan)}
            results["cores"] = os.cpu_count()
            with Downloads(server, "storm", plan["size"]) as downloads:
                say("the transfer alone")
                alone = [span(plan["alone"])]
                results["before"] = server.rss()
                results["storms"] = {}
                for kind, users, rounds in (("one", None, plan["rounds"]), ("many", plan["logins"], 1)):
                    say(f"{plan['logins']} logins, {'one user' if users is None else 'as many users'}")
                    results["storms"][kind] = storm(server, plan, users, rounds, downloads)
                    time.sleep(plan["rest"])
                    results["storms"][kind]["after"] = server.rss()
                say("the transfer alone, again")
                alone.append(span(plan["alone"]))
            results["alone"] = [downloads.between(times) for times in alone]
            results["complaints"] = server.complaints()
    return results


def span(seconds):
    """Lets so much time pass."""
    begun = time.monotonic()
    time.sleep(seconds)
    return begun, time.monotonic()


def storm(server, plan, users, rounds, downloads):
    """The logins, what the server held, and what became of the transfer meanwhile."""
    words = ["login", "--count", plan["logins"], "--parallel", plan["parallel"]]
    words += ["--users", users] if users else []
    before = server.rss()
    procfs.forget_peak(server.pid)
    cpu = procfs.cpu_seconds(server.pid)
    spans, figures = [], []
    for _ in range(rounds):
        begun = time.monotonic()
        # It ends with an error, and no figures, if one login is refused or takes two minutes.
        figures.append(server.site.load.run(server, *words, password=server.password, limit=LIMIT))
        spans.append((begun, time.monotonic()))
    logins = plan["logins"] * rounds
    return {
        "rounds": rounds,
        "rate": logins / sum(each["seconds"] for each in figures),
        "ms": max((each["login_ms"] for each in figures), key=lambda ms: ms["p99"]),
        "before": before,
        "peak": procfs.peak_bytes(server.pid),
        "cpu": (procfs.cpu_seconds(server.pid) - cpu) / logins,
        "transfer": downloads.between(*spans),
    }
