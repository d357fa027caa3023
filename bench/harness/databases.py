"""Where accounts are kept: a SQLite file, or a PostgreSQL server of our own. Both can be asked beside the program."""

import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path

from .servers import free_port

START_LIMIT = 60.0
STOP_LIMIT = 30.0
SQL_LIMIT = 900
# `nobody`: PostgreSQL refuses to run as root.
NOBODY = 65_534

# One account becomes many. `{columns}` is every column but the three that differ.
COPY = """
CREATE TEMPORARY TABLE template AS SELECT * FROM users WHERE username = '{name}';
WITH RECURSIVE numbers(number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < {count})
INSERT INTO users (username, home_dir, {columns})
SELECT '{name}' || number, '{homes}/{name}' || number, {columns} FROM template, numbers;
"""


def copy_statements(columns, name, count, homes):
    """The statements that make the accounts `name`0 and following. The words come from this program, not from a user."""
    others = [column for column in columns if column not in ("id", "username", "home_dir")]
    return COPY.format(columns=", ".join(others), name=name, count=count, homes=homes)


class Sqlite:
    """The database file of a server: `sftpgo.db` in its home, as by default."""

    name = "sqlite"
    title = "SQLite"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def settings(self):
        return {"driver": "sqlite"}

    def version(self):
        return "SQLite, as built into the program"

    def empty(self):
        """Nothing to do: the server begins with a new file."""

    def copy(self, server, name, count):
        """Makes `count` accounts like that of this name. The server does not run yet."""
        # Python's connections commit by themselves in autocommit mode only.
        with closing(sqlite3.connect(server.home / "sftpgo.db", isolation_level=None)) as connection:
            columns = [row[0] for row in connection.execute("SELECT name FROM pragma_table_info('users')")]
            connection.execute("PRAGMA synchronous = OFF")
            # What lies beside the statement may be large, too, and belongs into memory as the rest.
            connection.execute("PRAGMA temp_store = MEMORY")
            statements = copy_statements(columns, name, count, server.site.scratch / "homes")
            connection.executescript(f"BEGIN; {statements} COMMIT;")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def bytes(self, server):
        """What is on the disk."""
        return sum(path.stat().st_size for path in server.home.glob("sftpgo.db*"))


class Postgresql:
    """A PostgreSQL server in a directory of its own, with the defaults of the package but for what makes disks safe."""

    name = "postgresql"
    title = "PostgreSQL"
    programs = Path("/usr/lib/postgresql/15/bin")
    database = "accounts"
    administrator = "postgres"

    def __init__(self, scratch):
        # Of its own, for the user that it runs as does not get into the scratch directory.
        self.home = Path(tempfile.mkdtemp(prefix="sftp-bench-pg-", dir=Path(scratch).parent))
        self.password = secrets.token_hex(16)
        self.port = 0
        self.process = None

    def as_whom(self):
        root = os.geteuid() == 0
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if root else {}

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        password = self.home / "password"
        password.touch(mode=0o600)
        password.write_text(self.password)
        data = self.home / "data"
        if os.geteuid() == 0:
            for path in (self.home, password):
                os.chown(path, NOBODY, NOBODY)
        command = [self.programs / "initdb", "--no-sync", f"--username={self.administrator}", "--auth=scram-sha-256",
                   "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions", "--pwfile", password,
                   "--pgdata", data]  # fmt: skip
        run = subprocess.run(command, cwd=self.home, capture_output=True, text=True, timeout=START_LIMIT, **self.as_whom())
        if run.returncode != 0:
            raise RuntimeError(f"initdb: {run.stderr.strip()}")
        self.port = free_port()
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.home,
                    "fsync": "off", "full_page_writes": "off", "lc_messages": "C",
                    # In its directory, not in /dev/shm, where a crash would leave it.
                    "dynamic_shared_memory_type": "mmap"}  # fmt: skip
        words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", data, *words],
                cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                **self.as_whom(),
            )  # fmt: skip
        end = time.monotonic() + START_LIMIT
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                said = (self.home / "log").read_text(errors="replace").strip()[-600:]
                raise RuntimeError(f"PostgreSQL does not start: {said}")
            time.sleep(0.1)

    def ready(self):
        command = [self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, timeout=START_LIMIT).returncode == 0

    def __exit__(self, *_):
        if self.process is not None:
            # At once, in order; and if that takes too long, as in a crash. Either way it ends its other processes.
            for number in (signal.SIGINT, signal.SIGQUIT):
                self.process.send_signal(number)
                try:
                    self.process.wait(STOP_LIMIT)
                    break
                except subprocess.TimeoutExpired:
                    pass
            else:
                self.process.kill()
                self.process.wait()
            self.process = None
        shutil.rmtree(self.home, ignore_errors=True)

    def sql(self, text, database=None):
        """Runs statements; the rows as text."""
        command = [self.programs / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port),
                   "-U", self.administrator, "-d", database or self.database]  # fmt: skip
        env = {**os.environ, "PGPASSWORD": self.password}
        run = subprocess.run(command, input=text, env=env, capture_output=True, text=True, timeout=SQL_LIMIT)
        if run.returncode != 0:
            raise RuntimeError(f"psql: {run.stderr.strip()}")
        return run.stdout.split("\n")[:-1]

    def settings(self):
        return {
            "driver": "postgresql",
            "name": self.database,
            "host": "127.0.0.1",
            "port": self.port,
            "username": self.administrator,
            "password": self.password,
            "sslmode": 0,
        }

    def version(self):
        return "PostgreSQL " + self.sql("SHOW server_version", "postgres")[0]

    def empty(self):
        """A database with nothing in it."""
        self.sql(f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)", "postgres")
        self.sql(f"CREATE DATABASE {self.database}", "postgres")

    def copy(self, server, name, count):
        """Makes `count` accounts like that of this name."""
        where = "table_name = 'users' AND table_schema = 'public'"
        columns = self.sql(f"SELECT column_name FROM information_schema.columns WHERE {where}")
        self.sql(copy_statements(columns, name, count, server.site.scratch / "homes"))
        # What its daemon does by itself within minutes, and must not do in the middle of the measurement.
        self.sql("VACUUM ANALYZE")

    def bytes(self, _):
        """What is on the disk."""
        return int(self.sql(f"SELECT pg_database_size('{self.database}')")[0])
