"""What schemathesis must know of this server that its document cannot say.

A name that is taken is answered with 500, as SFTPGo 0.9.6 does and its clients expect, so every user that is added gets a
name of its own: what was made up, and a number.
"""

import itertools

import schemathesis

numbers = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    body = case.body
    if case.operation.method.upper() == "POST" and case.operation.path == "/api/v1/user":
        if isinstance(body, dict) and isinstance(body.get("username"), str) and body["username"]:
            body["username"] += f"-{next(numbers)}"
