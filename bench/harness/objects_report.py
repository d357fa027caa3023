"""Renders RESULTS-objects.md."""

from .accounts_report import about, row, table
from .report import figure

MIB = 2**20
# Resident bytes of the server while all uploads run, in MiB: what must hold, and what is aimed at.
MEMORY, MEMORY_AIM = 600, 300
# Of what rclone reaches.
SPEED = 0.8


def holds(results):
    """Whether every bound holds of what was measured."""
    good = True
    if memory := (results.get("memory") or {}).get("found"):
        good &= memory["peak"] <= MEMORY * MIB and not memory["scratch"]
    if speed := (results.get("speed") or {}).get("found"):
        good &= min(speed["ratio put"], speed["ratio get"]) >= SPEED
    return good


def render(results):
    """The whole file."""
    memory = (results.get("memory") or {}).get("found")
    speed = (results.get("speed") or {}).get("found")
    peak = memory and memory["peak"] / MIB
    uploads = f"{memory['uploads']} uploads of {memory['size'] // MIB} MiB" if memory else "100 uploads of 1 GiB"
    size = f"{speed['size'] // MIB} MiB" if speed else "4 GiB"
    lines = [
        "# Results: object stores",
        "",
        "Written by `bench/objects`; README.md says how to read it. The store is the fake S3 of `crates/teststore`, in a process"
        " of its own on the same machine: it takes and gives bytes, computes their CRC-32, and keeps none.",
        "",
        "## Targets",
        "",
        "| figure | measured | target |",
        "|---|---|---|",
        row(f"resident memory at most while {uploads} go to the store", peak, MEMORY, " MiB"),
        row("the same, what is aimed at", peak, MEMORY_AIM, " MiB"),
        row("files in the home, in the temporary directory, or without a name", memory and len(memory["scratch"]), 0),
        row(f"upload of {size} through the server, ratio to rclone's own", speed and speed["ratio put"], SPEED, " x", False),
        row(f"download of {size} through the server, ratio to rclone's own", speed and speed["ratio get"], SPEED, " x", False),
    ]
    if memory:
        lines += ["", *memory_section(results["memory"]["meta"], memory)]
    if speed:
        lines += ["", *speed_section(results["speed"]["meta"], speed)]
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


def speed_section(meta, found):
    def cells(who, way):
        rates = sorted(found[f"{who} {way}"])
        return f"{figure(rates[len(rates) // 2])} ({figure(rates[0])}–{figure(rates[-1])})"

    rows = [
        [way, cells("rclone", word), cells("sftpgo", word), f"{figure(found[f'ratio {word}'])} x"]
        for way, word in (("upload", "put"), ("download", "get"))
    ]
    return [
        "## Speed",
        "",
        *about(meta),
        f"- {meta['rclone']}, `copyto` with its defaults, straight to the store over HTTP",
        "- sftpgo: OpenSSH's `sftp` with AES-128-GCM to our server, and our server to the store over HTTP: everything that rclone"
        " does, and a client, and two times encryption, on the same cores",
        f"- one file of {found['size'] // MIB} MiB, {found['runs']} runs after a warm-up, in turn; seconds of the whole client"
        " process; what arrived is compared byte by byte, what was sent by CRC-32",
        "",
        "Median (lowest–highest), MiB/s.",
        "",
        *table(["", "rclone", "sftpgo", "sftpgo / rclone"], rows),
    ]
