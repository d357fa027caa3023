#!/usr/bin/python3
"""Logins against an LDAP directory: a sample for `external_auth_program`, with `external_auth_scope` 1, 2 or 3.

Passwords are checked by a bind; public keys are those of the attribute `sshPublicKey`. Needs python3-ldap3.

Settings are in /etc/sftpgo/ldap-auth.ini, which the user sftpgo must be able to read:

    [ldap]
    uri = ldaps://ldap.example.com
    base = ou=people,dc=example,dc=com
    filter = (objectClass=posixAccount)
    name = uid
    bind_dn = cn=sftpgo,dc=example,dc=com
    password_file = /etc/sftpgo/ldap-password
    starttls = no
    homes = /srv/sftpgo/data

Asked with SFTPGO_AUTHD_USERNAME and SFTPGO_AUTHD_PASSWORD or SFTPGO_AUTHD_PUBLIC_KEY, it answers with the account as JSON, or with
an empty name for no.
"""

import configparser
import json
import os
import ssl
import sys

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars

SECONDS = 10
KEYS = "sshPublicKey"


class Denied(Exception):
    """Why this login is refused."""


def load_settings():
    parser = configparser.ConfigParser(
        defaults={
            "filter": "(objectClass=posixAccount)",
            "name": "uid",
            "bind_dn": "",
            "password_file": "",
            "starttls": "no",
            "homes": "/srv/sftpgo/data",
        },
        interpolation=None,
    )
    path = os.environ.get("LDAP_AUTH_INI", "/etc/sftpgo/ldap-auth.ini")
    with open(path, encoding="utf-8") as file:
        parser.read_file(file)
    return parser["ldap"]


def connect(settings, dn, password):
    """A connection as `dn`, or as nobody in particular."""
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED)
    server = ldap3.Server(settings["uri"], tls=tls, connect_timeout=SECONDS, get_info=ldap3.NONE)
    connection = ldap3.Connection(
        server, user=dn or None, password=password or None, receive_timeout=SECONDS, read_only=True
    )
    if settings.getboolean("starttls"):
        connection.start_tls()
    if not connection.bind():
        raise Denied("the directory refuses " + (dn or "anonymous searches"))
    return connection


def search(settings, name):
    """The one entry of this name: its DN and its keys."""
    password = ""
    if settings["password_file"]:
        with open(settings["password_file"], encoding="utf-8") as file:
            password = file.read()
    connection = connect(settings, settings["bind_dn"], password)
    # Without the escapes a name such as `*` would be everybody.
    wanted = f"(&{settings['filter']}({settings['name']}={escape_filter_chars(name)}))"
    # A directory whose schema has no keys knows nothing of the attribute; that is no error.
    connection.search(
        settings["base"], wanted, attributes=[KEYS], size_limit=2, time_limit=SECONDS
    )
    entries = [one for one in connection.response or [] if one["type"] == "searchResEntry"]
    connection.unbind()
    if len(entries) != 1:
        raise Denied(f"{len(entries)} entries have this name")
    keys = [key.decode("utf-8", "replace") for key in entries[0]["raw_attributes"].get(KEYS, [])]
    return entries[0]["dn"], keys


def same_key(line, offered):
    """Whether a stored line is the offered key: type and base64, whatever the comment."""
    return line.split()[:2] == offered.split()[:2]


def account(settings, name, keys):
    # The name becomes a directory: it must be one.
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise Denied("a name that is no directory")
    return {
        "status": 1,
        "username": name,
        "home_dir": os.path.join(settings["homes"], name),
        "public_keys": keys,
        "permissions": {"/": ["*"]},
    }


def decide(settings, name, password, offered):
    if not password and not offered:
        # To a directory, a bind with a name and no password is a success that proves nothing.
        raise Denied("neither a password nor a key")
    dn, keys = search(settings, name)
    if password:
        connect(settings, dn, password).unbind()
    elif not any(same_key(line, offered) for line in keys):
        raise Denied("the key is not in the directory")
    return account(settings, name, keys)


def main():
    ask = os.environ.get
    try:
        user = decide(
            load_settings(),
            ask("SFTPGO_AUTHD_USERNAME", ""),
            ask("SFTPGO_AUTHD_PASSWORD", ""),
            ask("SFTPGO_AUTHD_PUBLIC_KEY", "").strip(),
        )
    except (Denied, LDAPException, OSError, KeyError, configparser.Error) as error:
        # Goes to the log of the server, with level debug.
        print(f"ldap-auth: {error}", file=sys.stderr)
        user = {"username": ""}
    json.dump(user, sys.stdout)
    print()


if __name__ == "__main__":
    main()
