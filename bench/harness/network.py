"""A long way between client and server: netem where the kernel has it, else a relay that holds bytes back."""

import json
import os
import subprocess


def quiet(*command):
    return subprocess.run(command, capture_output=True, text=True)


def netem_trouble():
    """Why netem cannot be used; None if it can."""
    if os.geteuid() != 0:
        return "netem needs root"
    try:
        with Netem(1):
            return None
    except RuntimeError as trouble:
        return str(trouble)


class Netem:
    """A network namespace whose loopback delays every packet, so both directions."""

    def __init__(self, millis):
        self.millis = millis
        self.name = f"sftp-bench-{os.getpid()}"
        self.prefix = ("ip", "netns", "exec", self.name)

    def __enter__(self):
        delay = ["netem", "delay", f"{self.millis}ms", "limit", "1000000"]
        steps = (
            ["ip", "netns", "add", self.name],
            ["ip", "-n", self.name, "link", "set", "lo", "up"],
            ["tc", "-n", self.name, "qdisc", "add", "dev", "lo", "root", *delay],
        )
        for step in steps:
            run = quiet(*step)
            if run.returncode != 0:
                self.__exit__()
                raise RuntimeError(f"{step[0]}: {run.stderr.strip() or 'failed'}")
        return self

    def __exit__(self, *_):
        quiet("ip", "netns", "del", self.name)

    def port(self, server):
        return server.port


class Relay:
    """A relay of the load generator before each server. It models the delay and nothing else of a long way."""

    prefix = ()

    def __init__(self, load, millis):
        self.load = load
        self.millis = millis
        self.relays = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process, _ in self.relays.values():
            process.kill()
            process.wait()

    def port(self, server):
        if server.name not in self.relays:
            command = [self.load.binary, "delay", f"127.0.0.1:{server.port}", "--millis", str(self.millis)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            self.relays[server.name] = process, json.loads(process.stdout.readline())["port"]
        return self.relays[server.name][1]
