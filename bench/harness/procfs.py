"""What a process and all its descendants spend, from /proc."""

import os
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def stat(pid):
    """Parent, user + system seconds with those of collected children, resident bytes; None if the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name in parentheses may hold anything, spaces too.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return {
        "parent": int(fields[1]),
        "cpu": sum(int(field) for field in fields[11:15]) / TICKS,
        "rss": int(fields[21]) * PAGE,
        "started": int(fields[19]),
    }


def tree(root):
    """The process and its descendants, as a dictionary of pid to stat."""
    every = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            found = stat(int(entry))
            if found:
                every[int(entry)] = found
    members = {}
    children = {}
    for pid, found in every.items():
        children.setdefault(found["parent"], []).append(pid)
    todo = [root]
    while todo:
        pid = todo.pop()
        if pid in every:
            members[pid] = every[pid]
            todo.extend(children.get(pid, ()))
    return members


def cpu_seconds(root):
    """CPU seconds of the tree so far: those of living members, and of ended ones through the parents that collected
    them."""
    return sum(member["cpu"] for member in tree(root).values())


def settle(root, members, limit=10.0):
    """Waits until the tree has shrunk to `members` processes, so that ended children are collected."""
    end = time.monotonic() + limit
    while len(tree(root)) > members and time.monotonic() < end:
        time.sleep(0.02)


def proportional_bytes(pid):
    """Proportional set size: shared pages are split among those who share them, which is fair to servers that fork."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def memory(root):
    """Resident and proportional bytes of the tree."""
    rss = pss = 0
    for pid, member in tree(root).items():
        rss += member["rss"]
        try:
            pss += proportional_bytes(pid)
        except OSError:
            pass  # It has just ended.
    return {"rss": rss, "pss": pss}


def children(pid):
    """Children of a process, from the lists of its threads: quicker than a look at every process."""
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                found += map(int, file.read().split())
    except OSError:
        pass  # It has just ended, or the kernel has no such lists.
    return found


def forget_peak(pid):
    """Lets the kernel begin anew with the peak of resident bytes."""
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")


def peak_bytes(pid):
    """The most resident bytes of one process since it began, or since `forget_peak`; exact, and costs nothing to watch."""
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


class PeakRss:
    """Highest resident bytes of a tree while the block runs, looked at 200 times a second."""

    def __init__(self, root):
        self.root = root
        self.peak = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def watch(self):
        while not self.done.wait(0.005):
            pids = [self.root]
            # Grows while it is walked.
            for pid in pids:
                pids += children(pid)
            found = (stat(pid) for pid in pids)
            self.peak = max(self.peak, sum(member["rss"] for member in found if member))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
