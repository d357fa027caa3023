"""The command line of `bench/objects`."""

import os
import subprocess
from pathlib import Path

from . import machine, objects_report, parts, stores
from .main import REPOSITORY

PARTS = {"memory": stores.memory, "fake": stores.fake, "real": stores.real}


def arguments():
    parser = parts.parser("objects", __doc__, PARTS, "small files, few runs")
    parser.add_argument("--runs", type=int, help="runs after the warm-up")
    parser.add_argument("--rclone", default="rclone", help="another rclone than the one of the system; `real` needs 1.65 or later")
    return parts.arguments(parser, PARTS)


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
    stores.FakeS3.binary = fake_store(args)
    stores.RCLONE = args.rclone
    plan = dict(stores.QUICK if args.quick else stores.FULL)
    if args.runs:
        plan["runs"] = args.runs

    def measure(site, part):
        return PARTS[part](site, plan, parts.say)

    rclone = {"rclone": machine.first_line(args.rclone, "version")}
    results = parts.run(args, "objects", measure, objects_report.render, more=rclone)
    return 0 if objects_report.holds(results) else 1
