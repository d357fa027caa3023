"""The command line of `bench/mixed`: a mixed load, what the server holds meanwhile, and what must be true afterwards."""

import argparse
import contextlib
import json
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from . import machine
from .clients import Load
from .main import REPOSITORY, build
from .outside import Rsync, Scp, digest_of, usage
from .servers import Ours, Site, free_port
from .watch import Watch, rest, sample

MIB = 2**20
# Descriptors that may be open more than at the start: the data provider opens connections of its pool on demand, with two
# descriptors each. A session or a file that stays open costs one each time, thousands in ten minutes.
MORE_DESCRIPTORS = 16
# Growth of resident memory that is no leak. The allocator keeps some MiB for each thread of the blocking pool, and both the
# threads and what each has kept rise for a few minutes until they level off: the same load again and again on one server,
# 84,000 operations in eight rounds and 41,000 in six, held from 117 to 185 MiB, more with more threads and without a trend.
# So the last minute is compared with the second one, with room for that, and closely with a minute in the middle: 16 MiB in
# four minutes is a leak of 300 bytes an operation, or of 5 KiB a connection.
GROWTH = 48 * MIB
LATE_GROWTH = 16 * MIB
SETTLE = 15.0


class Mixed(Ours):
    """Our server with everything on: all commands, REST, quotas; one account for each kind of load."""

    def __init__(self, site, upload_mode):
        super().__init__(site)
        self.upload_mode = upload_mode
        self.http_port = free_port()
        self.homes = {}
        for name in (self.user, "scp", "rsync"):
            self.homes[name] = site.scratch / "homes" / name
            self.homes[name].mkdir(parents=True)

    def accounts(self):
        return self.homes

    def settings(self):
        settings = super().settings()
        self.http_port = free_port()
        settings["sftpd"]["enabled_ssh_commands"] = ["*"]
        settings["sftpd"]["upload_mode"] = self.upload_mode
        settings["data_provider"] = {"track_quota": 1}
        settings["httpd"] = {"bind_port": self.http_port, "bind_address": "127.0.0.1"}
        return settings


class Checks:
    """What must be true: a row each, with what was found."""

    def __init__(self):
        self.rows = []

    def add(self, what, found, wanted, good):
        self.rows.append({"what": what, "found": str(found), "wanted": str(wanted), "good": bool(good)})

    def zero(self, what, found):
        self.add(what, found, 0, found == 0)

    @property
    def good(self):
        return all(row["good"] for row in self.rows)

    def table(self):
        lines = ["| check | found | wanted | |", "|---|---|---|---|"]
        for row in self.rows:
            verdict = "pass" if row["good"] else "**WRONG**"
            lines.append(f"| {row['what']} | {row['found']} | {row['wanted']} | {verdict} |")
        return "\n".join(lines)


def arguments():
    parser = argparse.ArgumentParser(prog="bench/mixed", description=__doc__)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--vanishing", type=int, default=4, help="clients that vanish and come back")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--deadline", type=int, default=60, help="longest time of one operation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--upload-mode", type=int, default=0, choices=(0, 1, 2), help="sftpd.upload_mode")
    parser.add_argument("--without", default="", help="of scp,rsync: what the server does not have")
    parser.add_argument("--json", type=Path, help="write everything here, the samples too")
    parser.add_argument("--no-build", action="store_true", help="take the programs as they are")
    parser.add_argument("--binary", type=Path, help="another build of our server")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the server's log and files")
    args = parser.parse_args()
    args.without = [word for word in args.without.split(",") if word]
    if unknown := set(args.without) - {"scp", "rsync"}:
        parser.error(f"--without: {', '.join(unknown)}: not one of scp, rsync")
    return args


def main():
    args = arguments()
    machine.install_missing(["openssh"] + ([] if "rsync" in args.without else ["rsync"]))
    Ours.binary, load = build(args)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    scratch = Path(tempfile.mkdtemp(prefix="sftp-mixed-", dir="/dev/shm"))
    try:
        site = Site(scratch, Load(load))
        server = Mixed(site, args.upload_mode)
        with server:
            results = run(server, args)
    finally:
        if args.keep:
            print(f"kept: {scratch}")
        else:
            shutil.rmtree(scratch, ignore_errors=True)
    results["commit"] = machine.commit(REPOSITORY)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))
    return 0 if results["good"] else 1


def run(server, args):
    """The load, and the checks."""
    manifest = server.site.scratch / "manifest"
    words = ["mixed", "--sessions", args.sessions, "--vanishing", args.vanishing, "--seconds", args.seconds,
             "--deadline", args.deadline, "--timeout", args.deadline, "--seed", args.seed,
             "--manifest", manifest]  # fmt: skip
    if "scp" in args.without:
        words += ["--without", "scp"]
    clients = outside(server, args)
    before = sample(server.pid, server.http_port)
    print(head(), flush=True)
    with Watch(server.pid, server.http_port, show=lambda row: print(line(row), flush=True)) as watch:
        with contextlib.ExitStack() as running:
            for client in clients:
                running.enter_context(client)
            figures = generate(server, words, args)
    after = settled(server, before)
    checks = Checks()
    check_operations(checks, figures, clients, args)
    check_holdings(checks, server, watch, before, after, args)
    check_files(checks, server, manifest)
    check_log(checks, server)
    print("\n" + operations(figures, clients) + "\n\n" + checks.table())
    return {
        "good": checks.good,
        "checks": checks.rows,
        "figures": figures,
        "outside": {client.name: client.report() for client in clients},
        "before": before,
        "after": after,
        "samples": watch.rows,
    }


def outside(server, args):
    """The real clients."""
    clients = []
    for kind in (Scp, Rsync):
        name = kind.__name__.lower()
        if name not in args.without:
            client = kind(server, name, server.site.scratch / "outside" / name, args.seed)
            client.prepare(server.homes[name])
            clients.append(client)
    return clients


def generate(server, words, args):
    """Runs the load generator. What it says if it hangs or ends badly counts as a failure."""
    command = server.site.load.command(server, *words)
    # After the end every session looks at its files once more.
    limit = args.seconds + 3 * args.deadline + 60
    try:
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return {"failed": 1, "late": 1, "failures": ["the load generator hangs"], "operations": {}}
    try:
        return json.loads(run.stdout.strip().split("\n")[-1])
    except ValueError:
        return {"failed": 1, "late": 0, "failures": ["the load generator failed"], "operations": {}}


def settled(server, before):
    """What the server holds once it had time to end everything."""
    end = time.monotonic() + SETTLE
    while True:
        found = sample(server.pid, server.http_port)
        over = found["connections"] == 0 and found["children"] == 0
        if over and found["descriptors"] <= before["descriptors"] + MORE_DESCRIPTORS:
            return found
        if time.monotonic() > end:
            return found
        time.sleep(0.2)


def check_operations(checks, figures, clients, args):
    checks.zero("failed operations", figures["failed"])
    checks.zero(f"operations over {args.deadline} s", figures["late"])
    checks.add("operations", figures.get("count", 0), "some", figures.get("count", 0) > 0)
    for client in clients:
        report = client.report()
        checks.zero(f"failed rounds of {client.name}", len(report["failures"]))
        checks.add(f"rounds of {client.name}", report["rounds"], "some", report["rounds"] > 0)


def check_holdings(checks, server, watch, before, after, args):
    alive = server.process.poll() is None
    checks.add("the server still runs", "yes" if alive else "no", "yes", alive)
    checks.zero("samples that REST did not answer", len(watch.troubles))
    span = min(60.0, args.seconds / 5)
    last = watch.mean("rss", args.seconds - span, args.seconds)
    for name, begin, bound in (("second", span, GROWTH), ("middle", args.seconds / 2, LATE_GROWTH)):
        mean = watch.mean("rss", begin, begin + span)
        text = f"{(last - mean) / MIB:+.1f} MiB ({mean / MIB:.1f} to {last / MIB:.1f})"
        what = f"growth of RSS from the {name} {span:.0f} s to the last"
        checks.add(what, text, f"<= {bound / MIB:.0f} MiB", last - mean <= bound)
    checks.zero("connections at the end", after["connections"])
    checks.zero("children at the end", after["children"])
    bound = before["descriptors"] + MORE_DESCRIPTORS
    checks.add("descriptors at the end", after["descriptors"], f"<= {bound}", after["descriptors"] <= bound)


def check_files(checks, server, manifest):
    """The files on disk, and what the quota counters say about them."""
    wanted = json.loads(manifest.read_text()) if manifest.exists() else {}
    home = server.homes[server.user]
    wrong = [path for path, digest in wanted.items() if digest_of(home / path.lstrip("/")) != digest]
    checks.add("files of the sessions on disk", f"{len(wanted) - len(wrong)} right", len(wanted), wanted and not wrong)
    for path in wrong[:5]:
        print(f"wrong on disk: {path}")
    left = [path for home in server.homes.values() for path in home.rglob(".sftpgo-upload.*")]
    checks.zero("temporary files left", len(left))
    for account, home in server.homes.items():
        user = rest(server.http_port, f"user?username={account}")[0]
        counted = {"files": user["used_quota_files"], "size": user["used_quota_size"]}
        found = usage(home)
        text, on_disk = (f"{each['files']} files, {each['size']} bytes" for each in (counted, found))
        checks.add(f"quota counters of {account}", text, on_disk, counted == found)


def check_log(checks, server):
    """Nothing that clients did was an error of the server."""
    lines = [text for path in server.home.glob("*.log") for text in path.read_text(errors="replace").splitlines()]
    errors = [text for text in lines if '"level":"error"' in text]
    checks.zero("errors in the server's log", len(errors))
    for text in errors[:5]:
        print(text[:500])
    output = (server.home / "output").read_text(errors="replace")
    checks.zero("panics", output.count("panicked"))


COLUMNS = ("rss", "pss", "descriptors", "threads", "children", "connections")


def head():
    return "seconds " + "".join(f"{name:>12}" for name in COLUMNS)


def line(row):
    cells = [f"{row[name] / MIB:.1f}" if name in ("rss", "pss") else str(row[name]) for name in COLUMNS]
    return f"{row['at']:7.0f} " + "".join(f"{cell:>12}" for cell in cells)


def operations(figures, clients):
    """What was done, and how long it took."""
    lines = ["| operation | count | p50 ms | p99 ms | slowest ms |", "|---|---|---|---|---|"]
    for name, found in figures["operations"].items():
        took = found["ms"]
        lines.append(f"| {name} | {found['count']:,} | {took['p50']:.1f} | {took['p99']:.1f} | {took['max']:.1f} |")
    for client in clients:
        report = client.report()
        lines.append(f"| round of {client.name} | {report['rounds']:,} | | | {report['slowest'] * 1000:.0f} |")
    if "sent" in figures:
        lines += [
            "",
            f"{figures['count']:,} operations in {figures['seconds']:.0f} s on {figures['connections']:,} connections,"
            f" {figures['vanished']:,} of which vanished; {figures['sent'] / MIB:,.0f} MiB sent,"
            f" {figures['received'] / MIB:,.0f} MiB received.",
        ]
    lines += ["", *(f"failed: {text}" for text in figures["failures"])] if figures["failures"] else []
    return "\n".join(lines)
