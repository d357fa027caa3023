"""Logs in with paramiko and prints what `pwd` says; exits with 1 if refused."""

import contextlib
import os
import socket
import sys

import paramiko

import target

PROOF = os.environ["TARGET_PROOF"]


def pwd(**options):
    client = paramiko.SSHClient()
    client.load_host_keys(target.KNOWN_HOSTS)
    with refusals():
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
    with client:
        run(client.get_transport())


@contextlib.contextmanager
def refusals():
    try:
        yield
    except paramiko.AuthenticationException as refused:
        print(refused, file=sys.stderr)
        sys.exit(1)


def run(transport):
    channel = transport.open_session()
    channel.exec_command("pwd")
    sys.stdout.write(channel.makefile("rb").read().decode())


def password():
    pwd(password=PROOF)


def key():
    # With its certificate, if there is one.
    pwd(pkey=paramiko.PKey.from_path(PROOF))


def key_then_password():
    pwd(key_filename=target.WRONG_KEY, password=PROOF)


def dialogue():
    answers = dict(zip(("Pin: ", "Code: "), PROOF.split()))

    def answer(title, instructions, questions):
        return [answers[question] for question, _ in questions]

    transport = paramiko.Transport(socket.create_connection((target.HOST, target.PORT)))
    transport.start_client(timeout=30)
    with contextlib.closing(transport), refusals():
        transport.auth_interactive("alice", answer)
        run(transport)


target.run({function.__name__: function for function in (password, key, key_then_password, dialogue)})
