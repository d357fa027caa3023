"""What the scripts of the interop tests know about the server, from their environment, and how one case is run."""

import hashlib
import os
import sys

HOST = "127.0.0.1"
PORT = int(os.environ["TARGET_PORT"])
KEY = os.environ["TARGET_KEY"]
WRONG_KEY = os.environ["TARGET_WRONG_KEY"]
PASSWORD = os.environ["TARGET_PASSWORD"]
KNOWN_HOSTS = os.environ["TARGET_KNOWN_HOSTS"]


def data(size):
    """Bytes without a period that a lost or doubled packet could hide in."""
    blocks = (hashlib.sha256(number.to_bytes(8, "big")).digest() for number in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def run(cases):
    """Runs the function that is named on the command line."""
    assert len(sys.argv) == 2, "usage: SCRIPT CASE"
    cases[sys.argv[1]]()
