"""What the server holds while it runs: memory, descriptors, threads, children, connections. Sampled every few seconds."""

import json
import os
import statistics
import threading
import time
import urllib.request

from . import procfs

REST_LIMIT = 10


def rest(port, path):
    """A reply of the REST API."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=REST_LIMIT) as reply:
        return json.load(reply)


def count(path):
    """Entries of a directory of /proc; 0 if the process is gone."""
    try:
        return len(os.listdir(path))
    except OSError:
        return 0


def sample(pid, http_port):
    """What the server holds now. Children are processes; what they hold is theirs."""
    found = procfs.stat(pid) or {"rss": 0}
    try:
        pss = procfs.proportional_bytes(pid)
    except OSError:
        pss = 0
    return {
        "rss": found["rss"],
        "pss": pss,
        "descriptors": count(f"/proc/{pid}/fd"),
        "threads": count(f"/proc/{pid}/task"),
        "children": len(procfs.tree(pid)) - 1,
        "connections": len(rest(http_port, "connection")),
    }


class Watch:
    """Samples in the background until the block ends."""

    def __init__(self, pid, http_port, every=3.0, show=None):
        self.pid, self.http_port, self.every = pid, http_port, every
        self.show = show
        self.begun = time.monotonic()
        self.rows = []
        self.troubles = []
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def work(self):
        while True:
            row = {"at": time.monotonic() - self.begun}
            try:
                row.update(sample(self.pid, self.http_port))
            except OSError as trouble:
                # REST must answer all the time.
                self.troubles.append(f"after {row['at']:.0f} s: {trouble}")
            else:
                self.rows.append(row)
                if self.show:
                    self.show(row)
            if self.done.wait(self.every):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def between(self, begin, end):
        """Rows of a span of seconds after the start."""
        return [row for row in self.rows if begin <= row["at"] < end]

    def mean(self, name, begin, end):
        values = [row[name] for row in self.between(begin, end)]
        return statistics.mean(values) if values else 0

    def peak(self, name):
        return max((row[name] for row in self.rows), default=0)
