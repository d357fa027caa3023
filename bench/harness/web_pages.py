"""Pages of the web admin's user list, as a part of `bench/accounts million`: the time of the server for the whole page."""

import http.client
import random
import re
import time
from urllib.parse import urlencode

# What a page shows unless its address says otherwise.
ROWS = 50
LIMIT = 120
# The name of each row, which leads to its form.
NAME = re.compile(r'<a href="/web/user/\d+">([^<]*)</a>')


class Web:
    """One connection to the pages that is kept."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)

    def get(self, **parameters):
        """Milliseconds from the request to the last byte of the page, and the names in it."""
        path = f"/web/users?{urlencode(parameters)}"
        begun = time.perf_counter()
        self.connection.request("GET", path)
        reply = self.connection.getresponse()
        body = reply.read().decode()
        took = (time.perf_counter() - begun) * 1000
        if reply.status != 200:
            raise RuntimeError(f"GET {path}: {reply.status} {body[:300]!r}")
        return took, NAME.findall(body)


def plan_pages(server, names, chance):
    """What is looked at: its text, and what makes the parameters and the names of one page."""
    up = names.up

    def somewhere():
        return chance.randrange(ROWS, len(up) - ROWS)

    def after():
        at = somewhere()
        return {"after": up[at]}, up[at + 1 : at + 1 + ROWS]

    def before():
        at = somewhere()
        return {"before": up[at]}, up[at - ROWS : at]

    def search():
        prefix = f"{server.user}{chance.randrange(1000, 10_000)}"
        return {"search": prefix}, names.beginning("ASC", prefix)[:ROWS]

    return [
        ("the first page", lambda: ({}, up[:ROWS])),
        ("the last page", lambda: ({"page": "last"}, up[-ROWS:])),
        ("the first page, the other way round", lambda: ({"order": "DESC"}, up[::-1][:ROWS])),
        ("a page after a name", after),
        ("a page before a name", before),
        ("a search", search),
    ]


def pages(server, names, plan, percentiles, say):
    """Pages, one after the other. A kind that takes long is asked for less often."""
    chance = random.Random(2)
    web = Web(server.http_port)
    rows = []
    for text, make in plan_pages(server, names, chance):
        text = f"web admin: {text}"
        say(f"{server.database.title}: {text}")
        took = []
        end = time.monotonic() + plan["seconds"]
        while len(took) < plan["calls"] and (len(took) < 2 or time.monotonic() < end):
            parameters, wanted = make()
            ms, found = web.get(**parameters)
            if found != wanted:
                raise RuntimeError(f"{parameters}: {found[:3]} .. ({len(found)}) instead of {wanted[:3]} .. ({len(wanted)})")
            took.append(ms)
        rows.append({"kind": "web", "text": text, "calls": len(took), "ms": percentiles(took)})
    return rows
