"""Renders RESULTS-objects.md."""

from .accounts_report import about, row, table
from .report import figure

MIB = 2**20
# Resident bytes of the server while all uploads run, in MiB: what must hold, and what is aimed at.
MEMORY, MEMORY_AIM = 600, 300
# Of what rclone reaches.
SPEED = 0.8
RACES = {"fake": "the fake S3", "real": "`rclone serve s3`"}
WAYS = (("upload", "put"), ("download", "get"))
CLIENTS = {"rclone": "rclone by itself", "sftp": "OpenSSH's sftp", "load": "sftp-load"}


def holds(results):
    """Whether every bound holds of what was measured."""
    good = True
    if memory := (results.get("memory") or {}).get("found"):
        good &= memory["peak"] <= MEMORY * MIB and not memory["scratch"]
    for part in RACES:
        if race := (results.get(part) or {}).get("found"):
            good &= min(race["best"].values()) >= SPEED
    return good


def render(results):
    """The whole file."""
    memory = (results.get("memory") or {}).get("found")
    peak = memory and memory["peak"] / MIB
    uploads = f"{memory['uploads']} uploads of {memory['size'] // MIB} MiB" if memory else "100 uploads of 1 GiB"
    lines = [
        "# Results: object stores",
        "",
        "Written by `bench/objects`; README.md says how to read it.",
        "",
        "## Targets",
        "",
        "| figure | measured | target |",
        "|---|---|---|",
        row(f"resident memory at most while {uploads} go to the store", peak, MEMORY, " MiB"),
        row("the same, what is aimed at", peak, MEMORY_AIM, " MiB"),
        row("files in the home, in the temporary directory, or without a name", memory and len(memory["scratch"]), 0),
    ]
    for part, where in RACES.items():
        race = (results.get(part) or {}).get("found")
        size = f"{race['size'] // MIB} MiB" if race else "4 GiB"
        for way, word in WAYS:
            ratio = race and race["best"][word]
            lines.append(row(f"{way} of {size} through the server to {where}, ratio to rclone's own", ratio, SPEED, " x", False))
    if memory:
        lines += ["", *memory_section(results["memory"]["meta"], memory)]
    for part, where in RACES.items():
        if part in results:
            lines += ["", *race_section(results[part]["meta"], results[part]["found"], where)]
    return "\n".join([*lines, ""])


def memory_section(meta, found):
    total = found["uploads"] * found["size"] / MIB
    rows = [
        ["before the uploads", f"{figure(found['base'] / MIB)} MiB"],
        ["at most, as the kernel keeps it", f"{figure(found['peak'] / MIB)} MiB"],
        ["afterwards", f"{figure(found['after'] / MIB)} MiB"],
    ]
    return [
        "## Memory",
        "",
        *about(meta),
        f"- {found['uploads']} sessions of sftp-load, a connection each, {found['size'] // MIB} MiB each, all at once:"
        f" {found['seconds']:.0f} s, {figure(total / found['seconds'])} MiB/s together; every file was whole at the store, and no"
        " upload was left unfinished there",
        f"- looked {found['looks']} times at the home, the temporary directory and the open files of the server for files that"
        " hold bytes of uploads",
        "",
        *table(["resident memory of the server", ""], rows),
    ]


def race_section(meta, found, where):
    def cells(name):
        rates = sorted(found["rates"][name])
        return f"{figure(rates[len(rates) // 2])} ({figure(rates[0])}–{figure(rates[-1])})"

    rows = []
    for who in found["racers"]:
        shown = [CLIENTS[who]]
        for _, word in WAYS:
            shown.append(cells(f"{who} {word}"))
            shown.append("" if who == "rclone" else f"{figure(found['ratios'][f'{who} {word}'])} x")
        rows.append(shown)
    return [
        f"## Speed at {where}",
        "",
        *about(meta),
        f"- {meta['rclone']}, `copyto` with its defaults, straight to the store over HTTP",
        "- the others: a client of SFTP with AES-128-GCM to our server, and our server to the store over HTTP: everything that"
        " rclone does, and a client, and encryption at both ends of it, on the same cores",
        f"- one file of {found['size'] // MIB} MiB, {found['runs']} runs after a warm-up, in turn; for programs the seconds of the"
        " whole process, for sftp-load those from the first request to the last answer; every byte that arrived is compared",
        "",
        "Median (lowest–highest), MiB/s.",
        "",
        *table(["", "upload", "to rclone's", "download", "to rclone's"], rows),
    ]
