"""Logins, pages and searches with a million accounts: `bench/accounts million`."""

import bisect
import http.client
import json
import random
import time
from urllib.parse import urlencode

from . import procfs
from .crowd import Crowd
from .databases import Postgresql, Sqlite
from .web_pages import pages

FULL = {"users": 1_000_000, "calls": 200, "seconds": 20.0, "password_logins": 50, "idle": 5.0}
QUICK = {"users": 20_000, "calls": 20, "seconds": 5.0, "password_logins": 5, "idle": 1.0}
PAGE = 100
REST_LIMIT = 120
# An account as they are in an organisation: limits, and addresses from which it may log in.
FLAGS = ["--allow-ip", "127.0.0.0/8", "--allow-ip", "10.0.0.0/8", "--deny-ip", "10.9.0.0/16", "--quota-size", "10GiB",
         "--quota-files", "100000", "--max-sessions", "10"]  # fmt: skip


def run(site, plan, say):
    """Everything that the part measures, by database."""
    results = {"users": plan["users"], "databases": {}}
    for make in (Sqlite, lambda: Postgresql(site.scratch)):
        with make() as database:
            results["databases"][database.name] = measure(site, database, plan, say)
    return results


def measure(site, database, plan, say):
    found = {"title": database.title, "version": database.version()}
    say(f"{database.title}: logins with one account")
    with Crowd(site, f"{database.name}-1", database, 1, FLAGS) as server:
        few = logins(server, "key login, with one account only", plan["calls"], None)
    say(f"{database.title}: making {plan['users']:,} accounts")
    with Crowd(site, database.name, database, plan["users"], FLAGS) as server:
        found["bytes"] = database.bytes(server)
        found["start"] = server.start_seconds
        found["before"] = server.rss()
        found["idle"] = idle(server, plan["idle"])
        say(f"{database.title}: logins")
        users = plan["users"] - 1
        found["rows"] = [few, logins(server, "key login", plan["calls"], users, kind="login")]
        found["rows"] += calls(server, plan, say)
        # Before the hashes, whose memory the other part measures.
        found["after"] = server.rss()
        found["peak"] = procfs.peak_bytes(server.pid)
        text = "password login (a hash of 64 MiB, on purpose)"
        found["rows"].append(logins(server, text, plan["password_logins"], users, password=server.password))
        found["complaints"] = server.complaints()
    return found


def idle(server, seconds):
    """How much of a core the server takes while nobody does anything."""
    before = procfs.cpu_seconds(server.pid)
    time.sleep(seconds)
    return (procfs.cpu_seconds(server.pid) - before) / seconds


def logins(server, text, count, users, kind="", password=None):
    """Logins one after the other, from connecting to being logged in."""
    words = ["login", "--count", count, "--parallel", 1]
    words += ["--users", users] if users else []
    figures = server.site.load.run(server, *words, password=password)
    return {"kind": kind, "text": text, "calls": count, "ms": figures["login_ms"]}


def percentiles(all):
    """As sftp-load gives them."""
    all = sorted(all)
    at = lambda permille: all[min(len(all) * permille // 1000, len(all) - 1)]  # noqa: E731
    return {"p50": at(500), "p95": at(950), "p99": at(990), "max": all[-1]}


class Rest:
    """One connection to REST that is kept."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REST_LIMIT)

    def get(self, **parameters):
        """Milliseconds from the request to the last byte of the answer, and the names in it."""
        path = f"/api/v1/user?{urlencode(parameters)}"
        begun = time.perf_counter()
        self.connection.request("GET", path)
        reply = self.connection.getresponse()
        body = reply.read()
        took = (time.perf_counter() - begun) * 1000
        if reply.status != 200:
            raise RuntimeError(f"GET {path}: {reply.status} {body[:300]!r}")
        return took, [user["username"] for user in json.loads(body)]


class Names:
    """The names that a call must give, from the sorted list of all."""

    def __init__(self, names):
        self.up = names

    def page(self, order, offset, names=None):
        names = self.up if names is None else names
        if order == "ASC":
            return names[offset : offset + PAGE]
        end = len(names) - offset
        return names[max(0, end - PAGE) : end][::-1]

    def after(self, order, name):
        if order == "ASC":
            begin = bisect.bisect_right(self.up, name)
            return self.up[begin : begin + PAGE]
        end = bisect.bisect_left(self.up, name)
        return self.up[max(0, end - PAGE) : end][::-1]

    def beginning(self, order, prefix):
        begin = bisect.bisect_left(self.up, prefix)
        # Names have ASCII letters only.
        end = bisect.bisect_left(self.up, prefix + "\x7f")
        return self.page(order, 0, self.up[begin:end])


def plan_calls(server, names, chance):
    """What is called: which target it belongs to, its text, and what makes the parameters and the names of one call."""
    size = server.size
    rows = []

    def add(kind, text, make):
        rows.append((kind, text, make))

    def page(order, offset):
        return lambda: ({"limit": PAGE, "order": order, "offset": offset}, names.page(order, offset))

    def after(order):
        def make():
            name = chance.choice(names.up)
            return {"limit": PAGE, "order": order, "after": name}, names.after(order, name)

        return make

    def search(order):
        def make():
            prefix = f"{server.user}{chance.randrange(1000, 10_000)}"
            return {"limit": PAGE, "order": order, "search": prefix}, names.beginning(order, prefix)

        return make

    def exact():
        name = chance.choice(names.up)
        return {"username": name}, [name]

    for order in ("ASC", "DESC"):
        for offset in sorted({0, size // 100, size // 2, size - PAGE}):
            kind = "page" if offset == 0 else "offset"
            add(kind, f"page of {PAGE} at offset {offset:,}, {order}", page(order, offset))
    for order in ("ASC", "DESC"):
        add("after", f"page of {PAGE} after a name (`after`), {order}", after(order))
    for order in ("ASC", "DESC"):
        add("search", f"search by how names begin (`search`), {order}", search(order))
    add("exact", "search by the exact name (`username`)", exact)
    return rows


def calls(server, plan, say):
    """Calls of REST, one after the other. A kind of call that takes long is called less often."""
    names = Names(server.names())
    chance = random.Random(1)
    rest = Rest(server.http_port)
    rows = []
    for kind, text, make in plan_calls(server, names, chance):
        say(f"{server.database.title}: {text}")
        took = []
        end = time.monotonic() + plan["seconds"]
        while len(took) < plan["calls"] and (len(took) < 2 or time.monotonic() < end):
            parameters, wanted = make()
            ms, found = rest.get(**parameters)
            if found != wanted:
                raise RuntimeError(f"{parameters}: {found[:3]} .. ({len(found)}) instead of {wanted[:3]} .. ({len(wanted)})")
            took.append(ms)
        rows.append({"kind": kind, "text": text, "calls": len(took), "ms": percentiles(took)})
    return rows + pages(server, names, plan, percentiles, say)
