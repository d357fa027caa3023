"""The servers: ours and its peers, each on a free loopback port with a configuration of its own."""

import grp
import json
import os
import pwd
import signal
import socket
import subprocess
import time
from pathlib import Path

from . import machine, procfs

START_LIMIT = 30.0
STOP_LIMIT = 5.0


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Site:
    """What all servers share: one tree of files, one host key, one client key."""

    def __init__(self, scratch, load):
        self.scratch = Path(scratch)
        self.load = load
        self.data = self.scratch / "data"
        self.data.mkdir()
        self.host_key = self.make_key("host_key")
        self.key = self.make_key("client_key")
        self.public_key = self.key.with_suffix(".pub")

    def make_key(self, name):
        path = self.scratch / name
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", path]
        subprocess.run(command, check=True)
        return path


class Server:
    """One server. Subclasses say how it is configured and started."""

    name = ""
    title = ""
    ciphers = ("gcm", "chacha", "ctr")
    user = "bench"

    def __init__(self, site):
        self.site = site
        self.home = site.scratch / self.name
        self.home.mkdir(exist_ok=True)
        self.port = free_port()
        self.process = None

    def remote(self, name):
        """Where a client finds a file of the shared tree."""
        return f"/{name}"

    def prepare(self):
        """Writes the configuration."""

    def command(self):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ)

    def version(self):
        raise NotImplementedError

    def start(self, prefix=()):
        """Starts the server and waits until someone can log in. `prefix` runs it elsewhere, as in a network namespace."""
        self.port = free_port()
        self.prepare()
        with open(self.home / "output", "ab") as output:
            self.process = subprocess.Popen(
                [*prefix, *map(str, self.command())],
                cwd=self.home,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        end = time.monotonic() + START_LIMIT
        while True:
            probe = self.site.load.run(self, "login", "--count", "1", "--sftp", check=False, prefix=prefix)
            if probe is not None:
                break
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.title} does not start: {self.complaint()}")
            time.sleep(0.1)
        procfs.settle(self.pid, 1)
        return self

    def complaint(self):
        output = (self.home / "output").read_text(errors="replace")
        return output.strip()[-600:] or "it says nothing"

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        """Ends the server and whatever it started, by id, after a look that the ids are still theirs."""
        if self.process is None:
            return
        family = procfs.tree(self.pid)
        self.process.terminate()
        try:
            self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid, member in family.items():
            now = procfs.stat(pid)
            if pid != self.pid and now and now["started"] == member["started"]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.process = None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            # It may run all the same.
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()


class OpenSsh(Server):
    """sshd with the external sftp-server, as the user who runs this."""

    name = "openssh"
    title = "OpenSSH"
    user = pwd.getpwuid(os.getuid()).pw_name

    def remote(self, name):
        return str(self.site.data / name)

    # The package's service makes it; sshd refuses to start as root without it.
    privilege_separation = Path("/run/sshd")
    made = False

    def prepare(self):
        if os.geteuid() == 0 and not self.privilege_separation.exists():
            self.privilege_separation.mkdir(mode=0o755)
            self.made = True
        (self.home / "config").write_text(
            f"""Port {self.port}
ListenAddress 127.0.0.1
HostKey {self.site.host_key}
PidFile none
AuthorizedKeysFile {self.site.public_key}
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PermitRootLogin prohibit-password
MaxStartups 10000
MaxSessions 10000
Ciphers aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr
# Keeps bash from reading the user's start-up files, which may cost more than the whole session.
SetEnv SHLVL=2
Subsystem sftp /usr/lib/openssh/sftp-server
"""
        )

    def stop(self):
        super().stop()
        if self.made:
            self.made = False
            self.privilege_separation.rmdir()

    def command(self):
        return ["/usr/sbin/sshd", "-D", "-e", "-f", self.home / "config"]

    def version(self):
        return machine.first_line("ssh", "-V").split(",")[0]


class Rclone(Server):
    name = "rclone"
    title = "rclone serve sftp"

    def command(self):
        return [
            "rclone", "--config", self.home / "none.conf", "serve", "sftp", self.site.data,
            "--addr", f"127.0.0.1:{self.port}", "--user", self.user,
            "--authorized-keys", self.site.public_key, "--key", self.site.host_key,
        ]  # fmt: skip

    def version(self):
        return machine.first_line("rclone", "version")


class ProFtpd(Server):
    """mod_sftp; Debian 12's has no AEAD cipher."""

    name = "proftpd"
    title = "ProFTPD mod_sftp"
    ciphers = ("ctr",)

    def prepare(self):
        keys = self.home / "keys"
        converted = subprocess.run(
            ["ssh-keygen", "-e", "-m", "RFC4716", "-f", self.site.public_key],
            check=True, capture_output=True,
        )  # fmt: skip
        keys.write_bytes(converted.stdout)
        account = pwd.getpwuid(os.getuid())
        group = account.pw_gid
        users = self.home / "users"
        users.write_text(f"{self.user}:*:{os.getuid()}:{group}::{self.site.data}:/bin/sh\n")
        users.chmod(0o600)
        (self.home / "config").write_text(
            f"""ServerType standalone
ServerName bench
ModulePath /usr/lib/proftpd
LoadModule mod_sftp.c
DefaultAddress 127.0.0.1
Port {self.port}
UseIPv6 off
UseReverseDNS off
User {account.pw_name}
Group {grp.getgrgid(group).gr_name}
RootLogin on
RequireValidShell off
AuthUserFile {users}
AuthOrder mod_auth_file.c
PidFile {self.home}/pid
ScoreboardFile {self.home}/scoreboard
DelayEngine off
SystemLog {self.home}/log
TransferLog none
WtmpLog off
DefaultRoot ~
AllowOverwrite on
MaxInstances none
SFTPEngine on
SFTPHostKey {self.site.host_key}
SFTPAuthMethods publickey
SFTPAuthorizedUserKeys file:{keys}
"""
        )

    def command(self):
        return ["/usr/sbin/proftpd", "--nodaemon", "--config", self.home / "config"]

    def version(self):
        return machine.first_line("/usr/sbin/proftpd", "--version")


class Ours(Server):
    """The server of this repository, with its defaults: SQLite, log file, one binding."""

    name = "ours"
    title = "sftpgo"
    binary = None

    def prepare(self):
        # A fresh database each time it starts, so that every run begins alike.
        for old in self.home.glob("sftpgo.db*"):
            old.unlink()
        (self.home / "sftpgo.json").write_text(json.dumps(self.settings()))
        self.run("initprovider")
        for name, home in self.accounts().items():
            self.run("user", "add", name, "--no-password", "--permission", "/:*",
                     "--home-dir", home, "--public-key-file", self.site.public_key)  # fmt: skip

    def settings(self):
        """The settings file."""
        return {
            "sftpd": {
                "bind_port": self.port,
                "bind_address": "127.0.0.1",
                "keys": [{"private_key": str(self.site.host_key)}],
                # Those of the default, and scp.
                "enabled_ssh_commands": ["md5sum", "sha1sum", "sha256sum", "cd", "pwd", "scp"],
            },
            "httpd": {"bind_port": 0},
        }

    def accounts(self):
        """Names with home directories."""
        return {self.user: self.site.data}

    def run(self, *words, stdin=""):
        """A command of the program beside the server."""
        command = [self.binary, *words, "-c", self.home]
        run = subprocess.run(command, env=self.environment(), input=stdin, capture_output=True, text=True)
        if run.returncode != 0:
            raise RuntimeError(f"sftpgo {words[0]}: {(run.stdout + run.stderr).strip()}")

    def environment(self):
        # Settings come from the file alone.
        return {k: v for k, v in os.environ.items() if not k.startswith("SFTPGO_")}

    def command(self):
        return [self.binary, "serve", "-c", self.home]

    def version(self):
        return machine.first_line(self.binary, "--version")


SERVERS = {kind.name: kind for kind in (OpenSsh, Ours, Rclone, ProFtpd)}
