"""The clients: the project's load generator, and OpenSSH's sftp."""

import json
import os
import subprocess
import time

CIPHERS = {
    "gcm": "aes128-gcm@openssh.com",
    "chacha": "chacha20-poly1305@openssh.com",
    "ctr": "aes128-ctr",
}
MAC = "hmac-sha2-256"
LIMIT = 600


class Load:
    """Runs sftp-load."""

    name = "load"
    title = "sftp-load"

    def __init__(self, binary):
        self.binary = str(binary)

    def command(self, server, *words, cipher="gcm", port=None, password=None):
        secret = ["--password", password] if password else ["--key", str(server.site.key)]
        return [
            self.binary,
            "--addr", f"127.0.0.1:{port or server.port}",
            "--user", server.user,
            *secret,
            "--cipher", CIPHERS[cipher],
            "--mac", MAC,
            *map(str, words),
        ]  # fmt: skip

    def run(self, server, *words, cipher="gcm", port=None, check=True, prefix=(), password=None, limit=LIMIT):
        """Figures of a run; None if it failed and that may be. Without a password it logs in with the key."""
        command = [*prefix, *self.command(server, *words, cipher=cipher, port=port, password=password)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=limit)
        if run.returncode == 0:
            return json.loads(run.stdout.strip().split("\n")[-1])
        if check:
            raise RuntimeError(f"{server.title}: {words[0]}: {run.stderr.strip()}")
        return None

    def local(self, *words):
        """A command that needs no server."""
        command = [self.binary, *map(str, words)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
        if run.returncode != 0:
            raise RuntimeError(f"{words[0]}: {run.stderr.strip()}")
        return json.loads(run.stdout)

    def transfer(self, server, direction, remote, job, _source):
        """Moves one file; the seconds between the first request and the last answer. It checks downloads itself."""
        words = [direction, remote, "--size", job.size, "--request", job.request, "--depth", job.depth]
        if job.window:
            words += ["--window", job.window]
        figures = self.run(
            server, *words, cipher=job.cipher, port=job.port, prefix=job.prefix
        )
        return figures["seconds"]


class OpenSsh:
    """Runs a program of OpenSSH's client. The caller checks the file."""

    name = ""
    title = ""

    def __init__(self, site):
        self.site = site
        self.local = site.scratch / f"client-{self.name}"
        self.local.mkdir(exist_ok=True)

    def options(self, server, job):
        return [
            "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes", "-o", "Compression=no",
            "-o", "KexAlgorithms=curve25519-sha256", "-o", f"Port={job.port or server.port}",
            "-c", CIPHERS[job.cipher], "-o", f"MACs={MAC}", "-i", str(self.site.key),
        ]  # fmt: skip

    def run(self, server, *command):
        """Seconds of the whole client, its login too, and what it printed."""
        env = dict(os.environ)
        env.pop("SSH_AUTH_SOCK", None)
        begun = time.monotonic()
        run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=LIMIT)
        seconds = time.monotonic() - begun
        if run.returncode != 0:
            raise RuntimeError(f"{server.title}: {self.title}: status {run.returncode}: {run.stderr.strip()}")
        return seconds, run.stdout

    def received(self):
        return self.local / "big"


class OpenSshClient(OpenSsh):
    """`sftp` in batch mode, its local side on tmpfs."""

    name = "sftp"
    title = "OpenSSH sftp"

    def transfer(self, server, direction, remote, job, source):
        """Moves one file."""
        batch = self.local / "batch"
        names = (remote, self.received()) if direction == "get" else (source, remote)
        batch.write_text(f"{direction} {names[0]} {names[1]}\n")
        command = ["sftp", "-q", "-b", str(batch), *self.options(server, job), f"{server.user}@127.0.0.1"]
        return self.run(server, *job.prefix, *command)[0]


class OpenSshScp(OpenSsh):
    """`scp` with its old protocol."""

    name = "scp"
    title = "OpenSSH scp -O"

    def transfer(self, server, direction, remote, job, source):
        """Moves one file."""
        there = f"{server.user}@127.0.0.1:{remote}"
        names = (there, self.received()) if direction == "get" else (source, there)
        return self.run(server, "scp", "-O", "-q", *self.options(server, job), *map(str, names))[0]


class OpenSshExec(OpenSsh):
    """`ssh` with a command."""

    name = "exec"
    title = "OpenSSH ssh"

    def output(self, server, job, command):
        """Seconds, and what the command printed."""
        return self.run(server, "ssh", "-T", *self.options(server, job), f"{server.user}@127.0.0.1", command)
