"""Renders RESULTS-accounts.md."""

from .report import Target, figure

MIB = 2**20
# What a call may take at most, in milliseconds, ninety-nine times in a hundred.
QUICKLY = 50
# Transfers keep so much of their speed.
SHARE = 0.5
# From so much of a core on, other work on the machine shows in the figures.
BUSY = 0.1

KINDS = {
    "login": "key login",
    "page": "first page of the user list, in either order",
    "after": "page after a name, wherever in the list",
    "search": "search by how names begin",
    "exact": "search by the exact name",
    "offset": "page at an offset, the slowest of them",
    "web": "page of the user list in the web admin, wherever and in either order",
}
STORMS = {"one": "one user", "many": "as many users"}


def complaints(found):
    """What the server's log complained of, some lines of each server."""
    for measured in (found, *found.get("databases", {}).values()):
        yield from measured.get("complaints", [])[:5]


def render(results):
    """The whole file."""
    lines = [
        "# Results: accounts",
        "",
        "Written by `bench/accounts`; README.md says how to read it. Our server alone, and its clients on the same machine.",
        "",
        "## Targets",
        "",
        "| figure | measured | target |",
        "|---|---|---|",
        *login_targets((results.get("logins") or {}).get("found")),
        *million_targets((results.get("million") or {}).get("found")),
    ]
    if "logins" in results:
        lines += ["", *login_section(**results["logins"])]
    if "million" in results:
        lines += ["", *million_section(**results["million"])]
    return "\n".join([*lines, ""])


def row(text, value, bound, unit="", at_most=True):
    target = Target(text, value, bound, None, unit, at_most)
    shown = "not measured" if value is None else f"{figure(value)}{unit}"
    return f"| {text} | {shown} | {target.mark(bound, value)} |"


def table(head, rows):
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(cells)} |" for cells in rows)]


def about(meta):
    """What was measured, where, and how busy the machine was with other things."""
    lines = [
        f"- commit {meta['commit']}, {meta['date']}; {meta['version']}",
        *(f"- {key}: {value}" for key, value in meta["machine"].items()),
        f"- other work on the machine meanwhile: {meta['others']:.2f} of {meta['cores']} cores",
    ]
    if meta["others"] > BUSY:
        lines.append(
            "- **the machine was busy with other work: times are longer than the server's own, and ratios say little, for what"
            " they compare with was slower too**"
        )
    if meta["quick"]:
        lines.append("- **quick: not a measurement**")
    return lines


def complaint_line(found):
    count = len(found["complaints"])
    return f"Lines of the server's log that are warnings or errors: {count}."


# The storm


def share(found, kind):
    """The speed of the transfer beside the logins, as part of what it is alone. All there was before and afterwards counts
    for that, so that a change of the machine's mood meanwhile does too."""
    alone = [span["speed"] for span in found["alone"] if span["speed"]]
    beside = found["storms"][kind]["transfer"]["speed"]
    return beside * len(alone) / sum(alone) if alone and beside else None


def login_targets(found):
    logins, parallel = (found["logins"], found["parallel"]) if found else (2000, 64)
    lines = []
    for kind, whose in STORMS.items():
        storm = found and found["storms"][kind]
        text = f"{logins:,} password logins, {parallel} at a time, {whose}"
        rise = storm and max(0, storm["peak"] - storm["before"]) / MIB
        lines.append(row(f"{text}: speed of a transfer beside them", found and share(found, kind), SHARE, " x", False))
        lines.append(row(f"{text}: rise of the server's memory", rise, found["bound"] / MIB if found else None, " MiB"))
        lines.append(row(f"{text}: p99", storm and storm["ms"]["p99"], None, " ms"))
    return lines


def login_section(meta, found):
    storms = [found["storms"][kind] for kind in STORMS]

    def cells(text, give):
        return [text, *(give(storm) for storm in storms)]

    rows = [cells("rounds", lambda storm: str(storm["rounds"])), cells("logins/s", lambda storm: figure(storm["rate"]))]
    for name in ("p50", "p95", "p99", "max"):
        text = f"login, {name} of the slowest round, ms"
        rows.append(cells(text, lambda storm, name=name: figure(storm["ms"][name])))
    rows += [
        cells("server CPU, ms per login, the transfer's included", lambda storm: figure(storm["cpu"] * 1000)),
        cells("transfer beside them, MiB/s", lambda storm: figure(storm["transfer"]["speed"])),
        ["part of its speed alone", *(figure(share(found, kind)) for kind in STORMS)],
        cells("downloads of which this is the speed", lambda storm: f"{storm['transfer']['count']:,}"),
        cells("RSS before, MiB", lambda storm: figure(storm["before"] / MIB)),
        cells("RSS peak, MiB", lambda storm: figure(storm["peak"] / MIB)),
        cells("RSS some seconds afterwards, MiB", lambda storm: figure(storm["after"] / MIB)),
    ]
    alone = ", ".join(f"{figure(span['speed'])} ({span['count']:,} downloads)" for span in found["alone"])
    return [
        f"## {found['logins']:,} password logins",
        "",
        *about(meta),
        "",
        *table(["figure", *(f"{found['logins']:,} logins, {whose}" for whose in STORMS.values())], rows),
        "",
        f"The transfer alone, before and afterwards: {alone} MiB/s. It is `sftp-load get` of {found['size'] // MIB} MiB with"
        " a key login, again and again; its speed is from the first request to the last answer, aes128-gcm. A login is from"
        " connecting to being logged in, without a channel, by one process. Hashes are argon2id with the product's own"
        " parameters (64 MiB, 3 passes, 2 lanes). With one user the server hashes once and remembers; with as many users as"
        f" logins every login costs a hash, and {found['cores']} cores compute {found['cores']} at a time: who comes last"
        f" of {found['parallel']} waits for all others. Server, transfer and logins share the cores.",
        "",
        f"The bound of memory: {figure(found['bound'] / MIB)} MiB, for hashes that are computed and for connections. "
        + complaint_line(found),
    ]


# The million


def slowest(database, kind):
    """The highest p99 of the rows of a kind."""
    return max((each["ms"]["p99"] for each in database["rows"] if each["kind"] == kind), default=None)


def million_targets(found):
    nothing = [{"title": title, "rows": []} for title in ("SQLite", "PostgreSQL")]
    databases = found["databases"].values() if found else nothing
    users = found["users"] if found else 1_000_000
    return [
        row(f"{users:,} users, {database['title']}: {text}, p99", slowest(database, kind), QUICKLY, " ms")
        for database in databases
        for kind, text in KINDS.items()
    ]


def million_section(meta, found):
    lines = [
        f"## {found['users']:,} users",
        "",
        *about(meta),
        "",
        "One call after the other, from a client on the same machine: a login from connecting to being logged in, with the"
        " SSH handshake; a call of REST from its request to the last byte of the answer. Nothing is subtracted, so the server"
        " itself takes less. Every answer is compared with the names that it must give. The databases are on tmpfs, and"
        " PostgreSQL's has been analysed (VACUUM ANALYZE).",
    ]
    for database in found["databases"].values():
        lines += ["", *database_section(database)]
    return lines


def database_section(database):
    rows = []
    for each in database["rows"]:
        ms = each["ms"]
        verdict = Target("", ms["p99"], QUICKLY, None, " ms").mark(QUICKLY, ms["p99"]) if each["kind"] else "–"
        rows.append([each["text"], str(each["calls"]), *(figure(ms[name]) for name in ("p50", "p99", "max")), verdict])
    lines = [
        f"### {database['title']}",
        "",
        f"- {database['version']}; {figure(database['bytes'] / MIB)} MiB in the database",
        f"- from the start to the first login: {database['start']:.2f} s",
        f"- the server while nobody does anything: {database['idle'] * 100:.1f} % of a core",
        f"- RSS of the server: {figure(database['before'] / MIB)} MiB after the start, {figure(database['after'] / MIB)} MiB"
        f" after the calls, at most {figure(database['peak'] / MIB)} MiB",
        "",
        *table(["call", "calls", "p50 ms", "p99 ms", "max ms", "p99"], rows),
        "",
    ]
    worst = slowest(database, "offset")
    if worst is not None:
        lines += [
            "The first call at an offset far down the list makes the database count up to there: that is the longest time of"
            " its row. The server remembers the place for some seconds; who goes on from a name (`after`) needs no counting.",
            "",
        ]
    if worst is not None and worst > QUICKLY:
        after = slowest(database, "after")
        lines += [
            f"Pages deep in the list by `offset` are too slow ({figure(worst)} ms): the database reads everything that is"
            f" left out. `after`, the name at which the page before ended, is the way to walk a long list ({figure(after)} ms).",
            "",
        ]
    return [*lines, complaint_line(database)]
