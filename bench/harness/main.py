"""The command line of `bench/run`."""

import argparse
import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from . import machine, report
from .clients import CIPHERS, Load
from .measure import MIB, Bench
from .servers import SERVERS, Ours, Site

BENCH = Path(__file__).resolve().parent.parent
REPOSITORY = BENCH.parent
SECTIONS = [*CIPHERS, "scp", "digest", "small", "login", "idle", "list", "rtt", "limit"]

FULL = {
    "size": 1024 * MIB,
    "runs": 5,
    "small_files": 10_000,
    "login_probe": 100,
    "login_seconds": 3,
    "idle": 2000,
    "idle_forked": 200,
    "idle_runs": 3,
    "list_files": 100_000,
    "rtt_size": 64 * MIB,
    "rtt_runs": 5,
}
QUICK = {
    "size": 128 * MIB,
    "runs": 2,
    "small_files": 1000,
    "login_probe": 64,
    "login_seconds": 1,
    "idle": 200,
    "idle_forked": 30,
    "idle_runs": 1,
    "list_files": 10_000,
    "rtt_size": 16 * MIB,
    "rtt_runs": 1,
}


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)

    def words(allowed):
        def parse(text):
            given = [word for word in text.split(",") if word]
            if unknown := set(given) - set(allowed):
                raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(allowed)}")
            return given

        return parse

    parser.add_argument("--quick", action="store_true", help="small files, few runs: a try, not a measurement")
    parser.add_argument("--only", type=words(SECTIONS), default=SECTIONS, help=f"of {','.join(SECTIONS)}")
    parser.add_argument("--peers", type=words(SERVERS), default=list(SERVERS), help=f"servers, of {','.join(SERVERS)}")
    parser.add_argument("--clients", type=words(["sftp", "load"]), default=["sftp", "load"], help="of sftp,load")
    parser.add_argument("--runs", type=int, help="runs after the warm-up")
    parser.add_argument("--size", type=int, help="MiB of the big file")
    parser.add_argument("--no-build", action="store_true", help="take the programs as they are")
    parser.add_argument("--binary", type=Path, help="another build of our server")
    parser.add_argument("--out", type=Path, help="where to write (default bench/RESULTS.md; with --quick standard output)")
    parser.add_argument("--json", type=Path, help="keep raw results here; sections that it has and that are not run stay")
    return parser.parse_args()


def build(args):
    """Paths of our server and of the load generator."""
    if not args.no_build:
        packages = ["-p", "sftpgo-bench"] + ([] if args.binary else ["-p", "sftpgo-server"])
        subprocess.run(["cargo", "build", "--release", *packages], cwd=REPOSITORY, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release"
    return (args.binary or target / "sftpgo").resolve(), target.resolve() / "sftp-load"


def main():
    args = arguments()
    plan = dict(QUICK if args.quick else FULL)
    plan["clients"] = args.clients
    if args.runs:
        plan["runs"] = plan["rtt_runs"] = args.runs
    if args.size:
        plan["size"] = args.size * MIB
    machine.install_missing([*args.peers, *(["netem"] if "rtt" in args.only else []), "openssh"])
    Ours.binary, load = build(args)

    results = json.loads(args.json.read_text()) if args.json and args.json.exists() else {}
    meta = {
        "commit": machine.commit(REPOSITORY),
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine.describe(),
        "load": machine.load_average(),
        "plan": plan_text(plan, args.quick),
    }
    # Thousands of sessions are as many descriptors, for the servers that take them in one process.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    scratch = tempfile.mkdtemp(prefix="sftp-bench-", dir="/dev/shm")
    # The load generator's own scratch file belongs on tmpfs, too.
    os.environ["TMPDIR"] = scratch
    try:
        site = Site(scratch, Load(load))
        servers = [SERVERS[name](site) for name in SERVERS if name in args.peers]
        meta["versions"] = {server.name: server.version() for server in servers}
        bench = Bench(site, site.load, servers, plan)
        for section in args.only:
            run = getattr(bench, section, None)
            results[section] = run() if run else bench.transfers(section)
            if args.json:
                args.json.write_text(json.dumps(results, indent=1))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    text = report.render(meta, results, notes(results))
    out = args.out or (None if args.quick else BENCH / "RESULTS.md")
    if out:
        out.write_text(text)
        print(f"written: {out.name}")
    else:
        print(text)


def plan_text(plan, quick):
    text = f"{plan['runs']} runs after one warm-up, servers in turn; {plan['size'] // MIB} MiB per transfer, on tmpfs"
    return text + ("; **quick: not a measurement**" if quick else "")


def notes(results):
    """What a reader must know to believe the figures."""
    lines = [
        "Server CPU is user + system of the server's whole process tree, from `/proc`, logins included. Wall figures of"
        " OpenSSH's client are those of the whole client process, login included; those of sftp-load are from the first"
        " request to the last answer.",
        "Client and server share the machine's cores, so a faster server leaves less for the client and the other way"
        " round; CPU per GiB is the figure that does not depend on it.",
        "Every file is checked: by SHA-256 what OpenSSH's client moved and what was uploaded, byte by byte what sftp-load"
        " downloaded and small files.",
        "All clients use curve25519-sha256 and an ed25519 host key, and hmac-sha2-256 with aes128-ctr.",
        "sshd runs as the user who runs this, with the external sftp-server, MaxStartups and MaxSessions raised to 10000 so"
        " that logins are not throttled, UsePAM off, and bash kept from reading start-up files; rclone, ProFTPD and sftpgo"
        " run with their defaults. sftpgo's log and database are on tmpfs.",
        "scp is OpenSSH's `scp -O`. OpenSSH's side of it is the same program, and that of the digests is coreutils'.",
        "ProFTPD of Debian 12 offers no AEAD cipher. rclone and ProFTPD are driven with OpenSSH's client only.",
    ]
    if "idle" in results:
        lines.append(
            "Idle memory: PSS of the tree with the sessions less PSS before, by the number of sessions, on a server that was"
            " just started. Servers with a process per session hold fewer sessions, and are scaled per session."
        )
    rtt = results.get("rtt")
    if rtt and rtt["way"] == "relay":
        lines.append(
            f"The long way is not netem ({rtt['trouble']}) but a relay that holds every byte back for 50 ms each way: it"
            " shows the windows of SSH and the requests in flight, and no TCP effects."
        )
    elif rtt:
        lines.append("The long way is netem on the loopback of a network namespace, 50 ms each way.")
    return lines
