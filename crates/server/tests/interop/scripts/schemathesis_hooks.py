"""What schemathesis must know of this server that its document cannot say.

A name that is taken is answered with 500, as SFTPGo 0.9.6 does and its clients expect, so every user that is added gets a
name of its own: what was made up, and a number. And most passwords become something that is stored as it is: a new hash
takes long on purpose, and a thousand of them would be all that the time goes to.
"""

import itertools

import schemathesis

NUMBERS = itertools.count()
# One in so many passwords stays as it was made up.
PLAIN = 16


@schemathesis.hook
def before_call(context, case, kwargs):
    body = case.body
    if not case.operation.path.startswith("/api/v1/user") or not isinstance(body, dict):
        return
    number = next(NUMBERS)
    name, password = body.get("username"), body.get("password")
    if case.operation.method.upper() == "POST" and isinstance(name, str) and name:
        body["username"] = f"{name}-{number}"
    if isinstance(password, str) and password and number % PLAIN:
        body["password"] = f"$argon2id${password}"
