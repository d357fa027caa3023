"""Renders RESULTS.md."""

from .clients import CIPHERS

# What the requirement found for the parts of a download on its own machine, CPU seconds per GiB.
REQUIRED_LIMIT = {"gcm": 0.62, "chacha": 1.17, "ctr": 1.24}

KIB = 1024
MIB = 2**20
TITLES = {"openssh": "OpenSSH", "ours": "sftpgo", "rclone": "rclone", "proftpd": "ProFTPD"}
CLIENTS = {"sftp": "OpenSSH `sftp`", "load": "sftp-load"}


class Target:
    """A row of the target table: a value, and the bounds for now and for the end."""

    def __init__(self, text, value, now, final, unit="", at_most=True):
        self.text, self.value, self.now, self.final = text, value, now, final
        self.unit, self.at_most = unit, at_most

    def bound(self, bound):
        if bound is None:
            return "–"
        number, unit = bound if isinstance(bound, tuple) else (bound, self.unit)
        return f"{'<=' if self.at_most else '>='} {number:g}{unit}"

    def mark(self, bound, value):
        if bound is None:
            return "–"
        if value is None:
            return self.bound(bound)
        number = bound[0] if isinstance(bound, tuple) else bound
        good = value <= number if self.at_most else value >= number
        return f"{self.bound(bound)} {'pass' if good else '**short**'}"

    def row(self, other=None):
        """The row; `other` is the value that the final bound is about if that is another one."""
        shown = "not measured" if self.value is None else f"{figure(self.value)}{self.unit}"
        final = self.mark(self.final, self.value if other is None else other)
        return f"| {self.text} | {shown} | {self.mark(self.now, self.value)} | {final} |"


def figure(value):
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def spread(found):
    """Median and, small, the lowest and highest run."""
    if not found:
        return "–"
    return f"{figure(found['median'])} ({figure(found['min'])}–{figure(found['max'])})"


def median(section, *path):
    for step in path:
        section = section.get(step) if isinstance(section, dict) else None
        if section is None:
            return None
    return section["median"] if isinstance(section, dict) else section


def ratio(above, below):
    return above / below if above is not None and below else None


def against(section, path, name):
    """Ours to OpenSSH."""
    ours = median(section, *path, "ours", name)
    return ratio(ours, median(section, *path, "openssh", name))


def limit_of(results, cipher):
    """CPU seconds per GiB that a download cannot go below."""
    return median(results.get("limit"), "whole", cipher)


def targets(results):
    """The table of what must be reached, in the order of the requirement."""
    cpu = {
        "gcm": [("get", 0.40, 0.33), ("put", 0.45, 0.30)],
        "chacha": [("get", 0.65, 0.50), ("put", 0.60, 0.45)],
        "ctr": [("get", 0.75, 0.52), ("put", 0.60, 0.40)],
    }
    lines = ["| figure | measured | now | final |", "|---|---|---|---|"]
    for cipher, bounds in cpu.items():
        for direction, now, final in bounds:
            value = against(results.get(cipher), [f"sftp {direction}"], "cpu")
            text = f"CPU per GiB, {CIPHERS[cipher]}, {direction}, ratio to OpenSSH"
            lines.append(Target(text, value, now, final, " x").row())
    for cipher in cpu:
        spent = median(results.get(cipher), "sftp get", "ours", "cpu")
        value = ratio(spent, limit_of(results, cipher))
        text = f"CPU per GiB, {CIPHERS[cipher]}, get, over the limit of this machine"
        if spent is not None:
            text += f" ({figure(spent / REQUIRED_LIMIT[cipher])} x over the requirement's own)"
        lines.append(Target(text, value, 1.4, 1.15, " x").row())
    for cipher, bounds in cpu.items():
        for direction, _, _ in bounds:
            value = against(results.get(cipher), [f"sftp {direction}"], "wall")
            text = f"wall, one stream, OpenSSH client, {CIPHERS[cipher]}, {direction}, ratio to OpenSSH"
            lines.append(Target(text, value, 1.2, 1.5, " x", at_most=False).row())
    for direction in ("put", "get"):
        small = results.get("small")
        text = f"{(small or {}).get('files', 10000):,} files of 4 KiB, {direction}, pipelined client, ratio to OpenSSH"
        value = against(small, [direction], "rate")
        lines.append(Target(text, value, 1.5, 3, " x", at_most=False).row())
    text = "logins per second, ed25519 key, 32 at a time, ratio to OpenSSH"
    value = against(results.get("login"), [], "rate")
    lines.append(Target(text, value, 5, 15, " x", at_most=False).row())
    lines += idle_targets(results)
    lines += list_targets(results)
    for direction in ("get", "put"):
        value = against(results.get("rtt"), [f"sftp {direction}"], "wall")
        text = f"one stream over 100 ms of round trip, {direction}, ratio to OpenSSH (no slower: 5 % is noise)"
        lines.append(Target(text, value, 0.95, None, " x", at_most=False).row())
    lines.append(
        "| memory while 100 uploads of 1 GiB go to an object store | RESULTS-objects.md | <= 600 MiB | <= 300 MiB, no scratch files |"
    )
    lines.append("| operations that fail for good while three servers are restarted in turn, or killed | RESULTS-rolling.md | 0 | 0 |")
    return lines


def idle_targets(results):
    idle = results.get("idle")
    sessions = median(idle, "ours", "sessions")
    value = against(idle, [], "pss")
    own = median(idle, "ours", "pss")
    text = f"memory per idle logged-in SFTP session, {sessions or 2000:,} sessions, ratio to OpenSSH"
    final = Target("", own and own / KIB, None, 40, " KiB").mark(40, own and own / KIB)
    shown = "not measured" if value is None else f"{figure(value)} x, {figure(own / KIB)} KiB"
    now = Target("", value, 0.05, None, " x").mark(0.05, value)
    return [f"| {text} | {shown} | {now} | {final} |"]


def list_targets(results):
    listing = results.get("list")
    files = (listing or {}).get("files", 100000)
    value = against(listing, ["rates"], "rate")
    text = f"listing a directory of {files:,} files, ratio to OpenSSH"
    lines = [Target(text, value, 1, 3, " x", at_most=False).row()]
    growth = median(listing, "growth", "ours")
    # Flat: a small part of what the entries of the directory would take if they were held.
    text = "the same, memory above that of listing a tenth as many (flat: 4 MiB)"
    lines.append(Target(text, growth and growth / MIB if growth is not None else None, 4, 4, " MiB").row())
    return lines


def table(title, names, rows):
    """A table with a column for each server."""
    head = "| " + " | ".join([title, *(TITLES[name] for name in names), "sftpgo / OpenSSH"]) + " |"
    return [head, "|" + "---|" * (len(names) + 2), *rows]


def compared(text, names, section, field, scale=1.0):
    """One row: every server's spread, and the ratio."""
    cells = []
    for name in names:
        found = (section.get(name) or {}).get(field)
        scaled = {key: found[key] / scale for key in ("median", "min", "max")} if found else None
        cells.append(spread(scaled))
    quotient = ratio(median(section, "ours", field), median(section, "openssh", field))
    return f"| {text} | " + " | ".join(cells) + f" | {figure(quotient)} |"


def transfers(results, names):
    lines = []
    for field, title in (("cpu", "server CPU seconds per GiB"), ("wall", "wall MiB/s")):
        rows = []
        for cipher, cipher_name in CIPHERS.items():
            for key, section in (results.get(cipher) or {}).items():
                client, direction = key.split()
                text = f"{cipher_name}, {direction}, {CLIENTS[client]}"
                rows.append(compared(text, names, section, field))
        for key, section in (results.get("scp") or {}).items():
            cipher, direction = key.split()
            rows.append(compared(f"{CIPHERS[cipher]}, {direction}, OpenSSH `scp -O`", names, section, field))
        for program, section in (results.get("digest") or {}).items():
            rows.append(compared(f"`{program}` by exec", names, section, field))
        if rows:
            lines += ["", *table(title, names, rows)]
    return lines


def others(results, names):
    rows = []
    small = results.get("small") or {}
    for direction in ("get", "put"):
        if direction in small:
            text = f"{small['files']:,} files of 4 KiB, {direction}"
            rows.append(compared(f"{text}: files/s", names, small[direction], "rate"))
            rows.append(compared(f"{text}: CPU µs per file", names, small[direction], "cpu"))
    if "login" in results:
        login = results["login"]
        rows.append(compared("logins per second", names, login, "rate"))
        rows.append(compared("CPU ms per login", names, login, "cpu"))
        rows.append(compared("slowest login of 100, ms", names, login, "p99"))
    if "idle" in results:
        idle = results["idle"]
        counts = ", ".join(f"{TITLES[n]} {idle[n]['sessions']:,}" for n in names if n in idle)
        rows.append(compared(f"KiB (PSS) per idle session ({counts} sessions)", names, idle, "pss", KIB))
        rows.append(compared("KiB (RSS, shared pages counted often) per idle session", names, idle, "rss", KIB))
        rows.append(compared("MiB (PSS) of the server with them all", names, idle, "total", MIB))
    if "list" in results:
        listing = results["list"]
        text = f"listing {listing['files']:,} files"
        rows.append(compared(f"{text}: entries/s", names, listing["rates"], "rate"))
        rows.append(compared(f"{text}: CPU µs per entry", names, listing["rates"], "cpu"))
        growth = {name: {"growth": {k: v for k in ("median", "min", "max")}} for name, v in listing["growth"].items()}
        rows.append(compared(f"{text}: peak RSS above that of a tenth as many, MiB", names, growth, "growth", MIB))
    for key, section in (results.get("rtt") or {}).items():
        if key not in ("way", "trouble"):
            client, direction = key.split()
            text = f"100 ms of round trip, {direction}, {CLIENTS[client]}: MiB/s"
            rows.append(compared(text, names, section, "wall"))
    return ["", *table("figure", names, rows)] if rows else []


def limits(results):
    limit = results.get("limit")
    if not limit:
        return []
    parts = ", ".join(f"{name} {value:.2f}" for name, value in limit["parts"].items())
    whole = ", ".join(f"{CIPHERS[cipher]} {value:.2f}" for cipher, value in limit["whole"].items())
    return [
        "",
        "## The limit",
        "",
        "CPU seconds per GiB of one thread that does nothing but read packets of 32 KiB from tmpfs, seal them with aws-lc-rs",
        f"and send them over loopback: {whole}. The parts alone: {parts}.",
    ]


def render(meta, results, notes):
    """The whole file."""
    # The order of the servers is the same everywhere.
    names = [name for name in TITLES if name in meta["versions"]]
    lines = [
        "# Results",
        "",
        "Written by `bench/run`; README.md says how to read it. Ratios count, absolute figures are this machine's.",
        "",
        f"- commit {meta['commit']}, {meta['date']}",
        *(f"- {key}: {value}" for key, value in meta["machine"].items()),
        f"- load average when it began: {meta['load']:.2f}",
        *(f"- {TITLES[name]}: {meta['versions'][name]}" for name in names),
        f"- {meta['plan']}",
        "",
        "## Targets",
        "",
        "Medians; CPU, wall and round trip with OpenSSH's `sftp` client, the rest with sftp-load.",
        "",
        *targets(results),
        "",
        "## Figures",
        "",
        "Median (lowest–highest).",
        *transfers(results, names),
        *others(results, names),
        *limits(results),
        "",
        "## Notes",
        "",
        *(f"- {note}" for note in notes),
        "",
    ]
    return "\n".join(lines)
