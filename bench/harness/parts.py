"""What the benchmarks of our server alone share: flags, a directory in memory, results that are kept part by part."""

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

from . import machine
from .clients import Load
from .main import BENCH, REPOSITORY, build
from .servers import Ours, Site


def parser(name, doc, parts, quick):
    """The flags that all of them have; `quick` says what is less with --quick."""
    parser = argparse.ArgumentParser(prog=f"bench/{name}", description=doc)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {' '.join(parts)}; all of them if none is given")
    parser.add_argument("--quick", action="store_true", help=f"{quick}: a try, not a measurement")
    parser.add_argument("--no-build", action="store_true", help="take the programs as they are")
    parser.add_argument("--binary", type=Path, help="another build of our server")
    parser.add_argument("--out", type=Path, help=f"where to write (default bench/RESULTS-{name}.md; with --quick nowhere)")
    parser.add_argument("--json", type=Path, help="keep raw results here; parts that it has and that are not run stay")
    return parser


def arguments(parser, parts):
    args = parser.parse_args()
    if unknown := set(args.parts) - set(parts):
        parser.error(f"{', '.join(unknown)}: not one of {', '.join(parts)}")
    args.parts = [part for part in parts if part in args.parts or not args.parts]
    return args


def say(*words):
    print(f"[{time.strftime('%H:%M:%S')}]", *words, flush=True)


def run(args, name, measure, render, prepare=lambda site: None, complaints=lambda found: (), more=None):
    """Measures each part by `measure(site, part)`, writes what `render` makes of all results, and returns these. `more` is
    to be told of each part beside what `describe` tells."""
    Ours.binary, load = build(args)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    results = json.loads(args.json.read_text()) if args.json and args.json.exists() else {}
    scratch = tempfile.mkdtemp(prefix=f"sftp-{name}-", dir="/dev/shm")
    os.environ["TMPDIR"] = scratch
    try:
        site = Site(scratch, Load(load))
        prepare(site)
        for part in args.parts:
            meta = describe(args) | (more or {})
            with machine.Others() as others:
                found = measure(site, part)
            meta["others"] = others.cores
            results[part] = {"meta": meta, "found": found}
            for line in complaints(found):
                print(line[:500])
            if args.json:
                args.json.write_text(json.dumps(results, indent=1))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    text = render(results)
    print(text)
    out = args.out or (None if args.quick else BENCH / f"RESULTS-{name}.md")
    if out:
        out.write_text(text)
        print(f"written: {out.name}")
    return results


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
