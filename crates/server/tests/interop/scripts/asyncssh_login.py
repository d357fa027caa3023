"""Logs in with asyncssh and prints what `pwd` says; exits with 1 if refused."""

import asyncio
import os
import sys

import asyncssh

import target

PROOF = os.environ["TARGET_PROOF"]


async def pwd(**options):
    try:
        connection = await asyncssh.connect(
            target.HOST,
            target.PORT,
            username="alice",
            known_hosts=target.KNOWN_HOSTS,
            config=None,
            agent_path=None,
            login_timeout=30,
            **options,
        )
    except asyncssh.PermissionDenied as refused:
        print(refused, file=sys.stderr)
        sys.exit(1)
    async with connection:
        done = await connection.run("pwd", check=True)
        sys.stdout.write(done.stdout)


def password():
    asyncio.run(pwd(client_keys=None, password=PROOF, preferred_auth="password"))


def key():
    asyncio.run(pwd(client_keys=[PROOF]))


class Dialogue(asyncssh.SSHClient):
    answers = dict(zip(("Pin: ", "Code: "), PROOF.split()))
    attempts = iter([""])

    def kbdint_auth_requested(self):
        # Once; a wrong answer is not right the next time.
        return next(self.attempts, None)

    def kbdint_challenge_received(self, name, instructions, lang, prompts):
        return [self.answers[prompt] for prompt, _ in prompts]


def dialogue():
    asyncio.run(
        pwd(
            client_keys=None,
            client_factory=Dialogue,
            preferred_auth="keyboard-interactive",
        )
    )


target.run({function.__name__: function for function in (password, key, dialogue)})
