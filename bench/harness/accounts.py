"""The command line of `bench/accounts`."""

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

from . import accounts_report, machine, million, storm
from .clients import Load
from .main import BENCH, REPOSITORY, build
from .servers import Ours, Site

PARTS = {"logins": storm, "million": million}


def arguments():
    parser = argparse.ArgumentParser(prog="bench/accounts", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {' '.join(PARTS)}; all of them if none is given")
    parser.add_argument("--quick", action="store_true", help="few accounts, few calls: a try, not a measurement")
    parser.add_argument("--no-build", action="store_true", help="take the programs as they are")
    parser.add_argument("--binary", type=Path, help="another build of our server")
    parser.add_argument("--out", type=Path, help="where to write (default bench/RESULTS-accounts.md; with --quick nowhere)")
    parser.add_argument("--json", type=Path, help="keep raw results here; parts that it has and that are not run stay")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"{', '.join(unknown)}: not one of {', '.join(PARTS)}")
    args.parts = [part for part in PARTS if part in args.parts or not args.parts]
    return args


def say(*words):
    print(f"[{time.strftime('%H:%M:%S')}]", *words, flush=True)


def main():
    args = arguments()
    machine.install_missing(["openssh", *(["postgresql"] if "million" in args.parts else [])])
    Ours.binary, load = build(args)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    results = json.loads(args.json.read_text()) if args.json and args.json.exists() else {}
    scratch = tempfile.mkdtemp(prefix="sftp-accounts-", dir="/dev/shm")
    os.environ["TMPDIR"] = scratch
    try:
        site = Site(scratch, Load(load))
        for part in args.parts:
            module = PARTS[part]
            meta = describe(args)
            with machine.Others() as others:
                found = module.run(site, module.QUICK if args.quick else module.FULL, say)
            meta["others"] = others.cores
            results[part] = {"meta": meta, "found": found}
            for line in accounts_report.complaints(found):
                print(line[:500])
            if args.json:
                args.json.write_text(json.dumps(results, indent=1))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    text = accounts_report.render(results)
    print(text)
    out = args.out or (None if args.quick else BENCH / "RESULTS-accounts.md")
    if out:
        out.write_text(text)
        print(f"written: {out.name}")
    return 0


def describe(args):
    """What was measured, where and when. Parts may be measured at different times."""
    return {
        "commit": machine.commit(REPOSITORY),
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine.describe(),
        "version": machine.first_line(Ours.binary, "--version"),
        "cores": os.cpu_count(),
        "quick": args.quick,
    }
