"""Renders RESULTS-intruders.md."""

from .accounts_report import about, row, table
from .report import figure

MIB = 2**20
# The slowest answer to somebody who is logged in, in milliseconds.
SLOWEST = 1000
# Resident memory that may stay: what the allocator keeps for its threads, which a busier minute than the base line grows.
GROWTH = 48

OUTCOMES = {"through": "as far as it wanted", "turned_away": "turned away", "cut": "cut off"}


def growth(found):
    return (found["after"]["rss"] - found["before"]["rss"]) / MIB


def more_descriptors(found):
    return found["after"]["descriptors"] - found["before"]["descriptors"]


def is_good(found):
    """Whether users kept working and everything was given back."""
    return (
        found["beside"]["answer_ms"]["max"] <= SLOWEST
        and more_descriptors(found) <= found["more_descriptors"]
        and growth(found) <= GROWTH
        and not found["rest_troubles"]
    )


def render(results):
    """The whole file."""
    lines = [
        "# Results: intruders",
        "",
        "Written by `bench/intruders`; README.md says how to read it. Our server alone, and its clients on the same machine.",
        "",
        "## Targets",
        "",
        "| figure | measured | target |",
        "|---|---|---|",
    ]
    for part in results.values():
        lines += targets(part["found"])
    for part in results.values():
        lines += ["", *section(**part)]
    return "\n".join([*lines, ""])


def targets(found):
    what = f"{found['plan']['count']:,} connections, {found['plan']['parallel']} at a time, {found['title']}"
    return [
        row(f"{what}: slowest answer to who is logged in", found["beside"]["answer_ms"]["max"], SLOWEST, " ms"),
        row(f"{what}: descriptors that stay", max(0, more_descriptors(found)), found["more_descriptors"]),
        row(f"{what}: memory that stays", max(0.0, growth(found)), GROWTH, " MiB"),
    ]


def section(meta, found):
    plan, intruders = found["plan"], found["intruders"]
    users = [found["alone"], found["beside"]]
    rows = [["answers", *(f"{each['answers']:,}" for each in users)]]
    for name, text in (("p50", "median"), ("p99", "99 %"), ("p999", "99.9 %"), ("max", "slowest")):
        rows.append([f"answer, {text}, ms", *(figure(each["answer_ms"][name]) for each in users)])
    rows.append(["MiB/s of all sessions", *(figure(each["mib_per_second"]) for each in users)])
    held = []
    for name, text, unit in (("rss", "RSS, MiB", MIB), ("descriptors", "descriptors", 1), ("threads", "threads", 1)):
        moments = (found["before"], found["peak"], found["after"])
        held.append([text, *(figure(moment[name] / unit) for moment in moments)])
    kinds = [
        [kind, *(f"{outcomes.get(outcome, 0):,}" for outcome in OUTCOMES)]
        for kind, outcomes in sorted(intruders["kinds"].items())
    ]
    counters = ", ".join(f"`{name}` {value:,}" for name, value in sorted(found["metrics"].items()))
    sources = found["sources"]
    whence = f"from {sources} addresses of 127.0.0.0/8 in turn" if sources else "all from 127.0.0.1"
    return [
        f"## {plan['count']:,} connections, {found['title']}",
        "",
        *about(meta),
        "",
        *table(["who is logged in", "alone", "beside the intruders"], rows),
        "",
        f"{plan['sessions']} sessions, each of which downloads {plan['size'] / MIB:g} MiB in READs of 32 KiB, 4 in flight, and lists"
        f" {plan['files']:,} files, again and again, from 127.0.0.1. Every byte and every name is compared. An answer is timed"
        " from its request on: READ, OPEN, READDIR and the like.",
        "",
        *table(["what the server holds", "before", "peak", "afterwards"], held),
        "",
        f"Before: after some seconds of such sessions. Afterwards: when the intruders and the users have left."
        f" {complaint_line(found)} Lines of the log, debug lines included: {found['log_lines']:,}.",
        "",
        *table(["intruders", *OUTCOMES.values()], kinds),
        "",
        f"{intruders['count']:,} connections in {intruders['seconds']:.0f} s ({figure(intruders['per_second'])}/s), {whence};"
        f" half-open ones are held for {plan['hold']:g} s. Turned away is without a byte. {counters}.",
    ]


def complaint_line(found):
    text = f"Lines of the server's log that are warnings or errors: {len(found['complaints'])}."
    if found["rest_troubles"]:
        text += f" **REST did not answer {len(found['rest_troubles'])} times.**"
    return text
