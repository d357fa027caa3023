"""The command line of `bench/objects`."""

import argparse
import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from . import machine, objects_report, stores
from .accounts import describe, say
from .clients import Load
from .main import BENCH, REPOSITORY, build
from .servers import Ours, Site

PARTS = {"memory": stores.memory, "fake": stores.fake, "real": stores.real}


def arguments():
    parser = argparse.ArgumentParser(prog="bench/objects", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {' '.join(PARTS)}; all of them if none is given")
    parser.add_argument("--quick", action="store_true", help="small files, few runs: a try, not a measurement")
    parser.add_argument("--runs", type=int, help="runs after the warm-up")
    parser.add_argument("--no-build", action="store_true", help="take the programs as they are")
    parser.add_argument("--binary", type=Path, help="another build of our server")
    parser.add_argument("--rclone", default="rclone", help="another rclone than the one of the system; `real` needs 1.65 or later")
    parser.add_argument("--out", type=Path, help="where to write (default bench/RESULTS-objects.md; with --quick nowhere)")
    parser.add_argument("--json", type=Path, help="keep raw results here; parts that it has and that are not run stay")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"{', '.join(unknown)}: not one of {', '.join(PARTS)}")
    args.parts = [part for part in PARTS if part in args.parts or not args.parts]
    return args


def fake_store(args):
    """The program that plays S3: of any size, in little memory."""
    if not args.no_build:
        command = ["cargo", "build", "--release", "-p", "sftpgo-teststore", "--bin", "fake-s3"]
        subprocess.run(command, cwd=REPOSITORY, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    return target.resolve() / "release" / "fake-s3"


def main():
    args = arguments()
    machine.install_missing(["openssh", *(["rclone"] if args.rclone == "rclone" else [])])
    Ours.binary, load = build(args)
    stores.FakeS3.binary = fake_store(args)
    stores.RCLONE = args.rclone
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    plan = dict(stores.QUICK if args.quick else stores.FULL)
    if args.runs:
        plan["runs"] = args.runs
    results = json.loads(args.json.read_text()) if args.json and args.json.exists() else {}
    scratch = tempfile.mkdtemp(prefix="sftp-objects-", dir="/dev/shm")
    os.environ["TMPDIR"] = scratch
    try:
        site = Site(scratch, Load(load))
        for part in args.parts:
            meta = describe(args)
            meta["rclone"] = machine.first_line(args.rclone, "version")
            with machine.Others() as others:
                found = PARTS[part](site, plan, say)
            meta["others"] = others.cores
            results[part] = {"meta": meta, "found": found}
            if args.json:
                args.json.write_text(json.dumps(results, indent=1))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    text = objects_report.render(results)
    print(text)
    out = args.out or (None if args.quick else BENCH / "RESULTS-objects.md")
    if out:
        out.write_text(text)
        print(f"written: {out.name}")
    return 0 if objects_report.holds(results) else 1
