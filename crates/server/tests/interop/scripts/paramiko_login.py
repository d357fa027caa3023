"""Logs in with paramiko and prints what `pwd` says; exits with 1 if refused."""

import os
import sys

import paramiko

import target

PROOF = os.environ["TARGET_PROOF"]


def pwd(**options):
    client = paramiko.SSHClient()
    client.load_host_keys(target.KNOWN_HOSTS)
    try:
        client.connect(
            target.HOST,
            target.PORT,
            "alice",
            look_for_keys=False,
            allow_agent=False,
            timeout=30,
            auth_timeout=30,
            **options,
        )
    except paramiko.AuthenticationException as refused:
        print(refused, file=sys.stderr)
        sys.exit(1)
    with client:
        _, stdout, _ = client.exec_command("pwd")
        sys.stdout.write(stdout.read().decode())


def password():
    pwd(password=PROOF)


def key():
    pwd(key_filename=PROOF)


def key_then_password():
    pwd(key_filename=target.WRONG_KEY, password=PROOF)


target.run({function.__name__: function for function in (password, key, key_then_password)})
