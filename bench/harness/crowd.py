"""Our server with very many accounts: the program makes one, the database copies it."""

import secrets
import time

from . import procfs
from .servers import Ours, free_port


class Crowd(Ours):
    """Our server with REST and `size` accounts: that of the user, and copies of it with a number behind the name. All have
    the same key, the same password and so the same hash; a server that remembers who proved a password does so by name."""

    def __init__(self, site, label, database, size, flags=()):
        self.name = label
        super().__init__(site)
        self.database = database
        self.size = size
        self.flags = flags
        self.password = secrets.token_hex(12)
        self.http_port = 0
        # Seconds that the start took after the accounts were there, until somebody could log in.
        self.start_seconds = 0.0
        self.prepared = 0.0

    def settings(self):
        settings = super().settings()
        self.http_port = free_port()
        settings["data_provider"] = self.database.settings()
        settings["httpd"] = {"bind_port": self.http_port, "bind_address": "127.0.0.1"}
        return settings

    def prepare(self):
        self.database.empty()
        super().prepare()
        # The product makes the hash, with its own parameters.
        self.run("user", "set", self.user, "--password-stdin", *self.flags, stdin=self.password + "\n")
        if self.size > 1:
            self.database.copy(self, self.user, self.size - 1)
        self.prepared = time.monotonic()

    def start(self, prefix=()):
        super().start(prefix)
        self.start_seconds = time.monotonic() - self.prepared
        return self

    def names(self):
        """Every name, in the order of bytes."""
        return sorted([self.user, *(f"{self.user}{number}" for number in range(self.size - 1))])

    def rss(self):
        return procfs.stat(self.pid)["rss"]

    def complaints(self):
        """Lines of the log that are warnings or worse, and panics."""
        lines = [text for path in self.home.glob("*.log") for text in path.read_text(errors="replace").splitlines()]
        bad = [text for text in lines if '"level":"error"' in text or '"level":"warn"' in text]
        output = (self.home / "output").read_text(errors="replace").splitlines()
        return bad + [text for text in output if "panicked" in text]
