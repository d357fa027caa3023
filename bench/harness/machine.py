"""The machine, the programs on it, and the packages that bring the peers."""

import os
import platform
import re
import shutil
import subprocess

# Program that proves it, Debian package that brings it.
PACKAGES = {
    "openssh": [("/usr/sbin/sshd", "openssh-server"), ("/usr/bin/sftp", "openssh-client")],
    "rclone": [("/usr/bin/rclone", "rclone")],
    "proftpd": [
        ("/usr/sbin/proftpd", "proftpd-core"),
        ("/usr/lib/proftpd/mod_sftp.so", "proftpd-mod-crypto"),
    ],
    "haproxy": [("/usr/sbin/haproxy", "haproxy")],
    "netem": [("/usr/sbin/tc", "iproute2")],
    "rsync": [("/usr/bin/rsync", "rsync")],
    "postgresql": [
        ("/usr/lib/postgresql/15/bin/postgres", "postgresql-15"),
        ("/usr/lib/postgresql/15/bin/psql", "postgresql-client-15"),
    ],
}


# A policy of "start nothing" while packages are installed, for no server is to run but those of the benchmark.
INSTALL = """
set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    printf '#!/bin/sh\\nexit 101\\n' >$policy
    chmod 755 $policy
fi
apt-get -qq update
apt-get -qq -y install --no-install-recommends "$@" >/dev/null
"""


def install_missing(wanted):
    """Installs the Debian packages of the wanted peers."""
    missing = {
        package
        for name in wanted
        for program, package in PACKAGES.get(name, [])
        if not os.path.exists(program)
    }
    if missing:
        print(f"installing {', '.join(sorted(missing))}", flush=True)
        sudo = [] if os.geteuid() == 0 else ["sudo"]
        subprocess.run([*sudo, "bash", "-c", INSTALL, "install", *sorted(missing)], check=True)


def first_line(*command):
    """The first line that a program prints about itself."""
    if not shutil.which(command[0]):
        return "not installed"
    run = subprocess.run(command, capture_output=True, text=True)
    return (run.stdout + run.stderr).strip().split("\n")[0]


def memory_gib():
    with open("/proc/meminfo") as file:
        return int(re.search(r"MemTotal:\s+(\d+)", file.read())[1]) / 2**20


def describe():
    """Lines about the machine: nothing that names it."""
    with open("/proc/cpuinfo") as file:
        info = file.read()
    model = re.search(r"model name\s*: (.*)", info)
    flags = set((re.search(r"flags\s*: (.*)", info) or ["", ""])[1].split())
    crypto = [f for f in ("aes", "vaes", "sha_ni", "avx2", "avx512f") if f in flags]
    with open("/etc/os-release") as file:
        system = re.search(r'PRETTY_NAME="(.*)"', file.read())
    return {
        "CPU": f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores ({' '.join(crypto)})",
        "memory": f"{memory_gib():.0f} GiB",
        "kernel": f"{platform.system()} {platform.release().split('-')[0]}",
        "system": system[1] if system else "unknown",
    }


class Others:
    """What other work took of the machine while the block ran: what all processes took, less what this one took with all
    that it started. The latter must have ended with the block."""

    # User, nice, system, interrupts, and what the host gave to other machines.
    FIELDS = (1, 2, 3, 6, 7, 8)

    def __init__(self):
        self.cores = 0.0

    def sample(self):
        with open("/proc/stat") as file:
            fields = file.readline().split()
        ticks = sum(int(fields[number]) for number in self.FIELDS)
        own = os.times()
        taken = own.user + own.system + own.children_user + own.children_system
        return ticks / os.sysconf("SC_CLK_TCK") - taken, own.elapsed

    def __enter__(self):
        self.begun = self.sample()
        return self

    def __exit__(self, *_):
        taken, elapsed = (now - then for now, then in zip(self.sample(), self.begun))
        self.cores = max(0.0, taken / elapsed)


def load_average():
    return os.getloadavg()[0]


def commit(repository):
    """The commit that is measured, marked if the tree differs from it."""

    def git(*words):
        run = subprocess.run(["git", "-C", repository, *words], capture_output=True, text=True)
        return run.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "--short=12", "HEAD") + (" with local changes" if changed else "")
