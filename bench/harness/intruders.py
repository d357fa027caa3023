"""The command line of `bench/intruders`: connections that never log in, beside users who work."""

import json
import secrets
import subprocess
import time
import urllib.request

from . import intruders_report, machine, parts, procfs
from .servers import Ours, free_port
from .watch import Watch, sample

MIB = 2**20
FULL = {"count": 50_000, "parallel": 500, "hold": 5.0, "alone": 20.0, "sessions": 4, "size": 4 * MIB, "files": 1000}
QUICK = {"count": 1_000, "parallel": 100, "hold": 1.0, "alone": 3.0, "sessions": 2, "size": 1 * MIB, "files": 100}
# The connections of intruders are over with them; what else they cost must be given back in this time.
SETTLE = 60.0
# Descriptors that may be open more than before: the data provider opens connections of its pool on demand.
MORE_DESCRIPTORS = 16
# Two of 20 connections wait for a hash.
LIMIT = 7200

PARTS = {
    # As if each came from an address of its own that nobody has seen before: nothing but the connection counts.
    "lifted": {
        "title": "limits by address lifted",
        "sources": 0,
        "limits": {"max_unauthenticated_per_address": 0, "start_rate": 0, "penalty_most": 0},
        "defender": {},
    },
    # From few addresses, with the defaults and the defender: nearly all are turned away.
    "limited": {
        "title": "from 63 addresses, default limits and the defender",
        # No divisor of the 20 kinds of connections, so that each address has its share of all.
        "sources": 63,
        "limits": {"exempt": []},
        "defender": {"enabled": True},
    },
}


class Guarded(Ours):
    """Our server with REST, a user with a password, and the limits of a part."""

    def __init__(self, site, name, part):
        self.name = name
        super().__init__(site)
        self.part = part
        self.http_port = 0
        self.password = secrets.token_hex(12)

    def settings(self):
        settings = super().settings()
        self.http_port = free_port()
        settings["sftpd"]["limits"] = self.part["limits"]
        settings["defender"] = self.part["defender"]
        settings["httpd"] = {"bind_port": self.http_port, "bind_address": "127.0.0.1"}
        return settings

    def prepare(self):
        super().prepare()
        # So that guesses have something to be wrong about.
        self.run("user", "set", self.user, "--password-stdin", stdin=self.password + "\n")

    def lines(self):
        return [text for path in self.home.glob("*.log*") for text in path.read_text(errors="replace").splitlines()]

    def complaints(self):
        """Lines of the log that are warnings or worse, and panics."""
        bad = [text for text in self.lines() if '"level":"error"' in text or '"level":"warn"' in text]
        output = (self.home / "output").read_text(errors="replace").splitlines()
        return bad + [text for text in output if "panicked" in text]


class Steady:
    """Sessions that download and list until the block ends. Every answer is checked; the first wrong one is an error."""

    def __init__(self, server, plan):
        words = ["steady", "/file", "/list", "--size", plan["size"], "--files", plan["files"], "--sessions", plan["sessions"]]
        command = server.site.load.command(server, *words)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)  # fmt: skip
        self.figures = None
        self.trouble = None

    def __enter__(self):
        # The line that says that all are logged in.
        if not self.process.stdout.readline():
            raise RuntimeError(f"steady sessions: {self.process.stderr.read().strip()}")
        return self

    def __exit__(self, kind, *_):
        try:
            out, said = self.process.communicate("\n", timeout=300)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, said = self.process.communicate()
        if self.process.returncode == 0:
            self.figures = json.loads(out.strip().split("\n")[-1])
        else:
            self.trouble = said.strip() or "ended without a word"
        if self.trouble and kind is None:
            raise RuntimeError(f"who is logged in was disturbed: {self.trouble}")


def arguments():
    parser = parts.parser("intruders", __doc__, PARTS, "few connections")
    parser.add_argument("--count", type=int, help="connections in all")
    parser.add_argument("--parallel", type=int, help="connections at a time")
    return parts.arguments(parser, PARTS)


def main():
    args = arguments()
    machine.install_missing(["openssh"])
    plan = dict(QUICK if args.quick else FULL)
    plan.update({name: getattr(args, name) for name in ("count", "parallel") if getattr(args, name)})

    def prepare(site):
        site.load.local("make", site.data / "file", "--size", plan["size"])
        site.load.local("make", site.data / "list", "--size", 64, "--files", plan["files"])

    results = parts.run(
        args,
        "intruders",
        lambda site, name: measure(site, name, plan),
        intruders_report.render,
        prepare,
        lambda found: found["complaints"][:5],
    )
    return 0 if all(intruders_report.is_good(part["found"]) for part in results.values()) else 1


def measure(site, name, plan):
    """One part: users alone, users beside intruders, and what is left afterwards."""
    part = PARTS[name]
    server = Guarded(site, name, part)
    found = {"title": part["title"], "plan": plan, "sources": part["sources"], "more_descriptors": MORE_DESCRIPTORS}
    with server:
        parts.say(part["title"])
        # The first logins and transfers make threads and buffers that stay: they belong to the base line.
        with Steady(server, plan):
            time.sleep(plan["alone"] / 4)
        found["before"] = settled(server, None)
        parts.say("users alone")
        with Steady(server, plan) as alone:
            time.sleep(plan["alone"])
        found["alone"] = alone.figures
        parts.say(f"{plan['count']:,} connections, {plan['parallel']} at a time")
        words = ["intrude", "--count", plan["count"], "--parallel", plan["parallel"], "--hold", plan["hold"],
                 "--sources", part["sources"]]  # fmt: skip
        procfs.forget_peak(server.pid)
        with Watch(server.pid, server.http_port, every=0.5) as watch:
            with Steady(server, plan) as beside:
                found["intruders"] = site.load.run(server, *words, limit=LIMIT)
                # As long as the intruders were there, and no longer.
        found["beside"] = beside.figures
        found["peak"] = {
            "rss": procfs.peak_bytes(server.pid),
            **{figure: watch.peak(figure) for figure in ("descriptors", "threads")},
        }
        found["rest_troubles"] = watch.troubles
        parts.say("waiting for the server to give everything back")
        found["after"] = settled(server, found["before"])
        found["metrics"] = metrics(server)
        found["log_lines"] = len(server.lines())
        # A new login, as a check that the door is open.
        site.load.run(server, "login", "--count", 20, "--sftp")
        found["complaints"] = server.complaints()
    return found


def settled(server, before):
    """What the server holds once it had time to end everything. The allocator gives pages back some seconds later."""
    begun = time.monotonic()
    while True:
        found = sample(server.pid, server.http_port)
        waited = time.monotonic() - begun
        if before is None:
            if waited > 5:
                return found
        else:
            back = found["descriptors"] <= before["descriptors"] + MORE_DESCRIPTORS and found["connections"] == 0
            if (back and waited > 15) or waited > SETTLE:
                return found
        time.sleep(0.5)


def metrics(server):
    """The counters that say what became of the connections."""
    wanted = ("sftpgo_refused_connections_total", "sftpgo_connection_probes_total", "sftpgo_defender_bans_total",
              "sftpgo_login_ko_total", "sftpgo_login_ok_total")  # fmt: skip
    rows = (line.split() for line in page(server).splitlines() if not line.startswith("#"))
    return {row[0]: int(float(row[1])) for row in rows if row and row[0] in wanted}


def page(server):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.http_port}/metrics", timeout=10) as reply:
        return reply.read().decode()
