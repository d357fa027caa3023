#!/bin/bash
# Logins by password against an LDAP directory: a sample for `external_auth_program`, with `external_auth_scope` 1.
# Needs ldapsearch and ldapwhoami (package ldap-utils).
#
# Settings are in /etc/sftpgo/ldap-auth.conf, which the user sftpgo must be able to read, as lines NAME=VALUE of a shell:
#
#   LDAP_URI=ldaps://ldap.example.com
#   LDAP_BASE=ou=people,dc=example,dc=com
#   LDAP_FILTER='(objectClass=posixAccount)'     who may log in; the name is looked for in LDAP_NAME
#   LDAP_NAME=uid
#   LDAP_BIND_DN=cn=sftpgo,dc=example,dc=com     who searches; empty: nobody in particular
#   LDAP_PASSWORD_FILE=/etc/sftpgo/ldap-password
#   LDAP_STARTTLS=no                             yes: ldap:// becomes encrypted, or fails
#   HOMES=/srv/sftpgo/data
#
# Asked with SFTPGO_AUTHD_USERNAME and SFTPGO_AUTHD_PASSWORD, it answers with the account as JSON, or with an empty name for no.
set -euo pipefail

deny() {
    # Goes to the log of the server, with level debug.
    echo "ldap-auth: $1" >&2
    printf '{"username":""}\n'
    exit 0
}

name=${SFTPGO_AUTHD_USERNAME:-}
password=${SFTPGO_AUTHD_PASSWORD:-}

LDAP_URI="" LDAP_BASE="" LDAP_FILTER='(objectClass=posixAccount)' LDAP_NAME=uid
LDAP_BIND_DN="" LDAP_PASSWORD_FILE="" LDAP_STARTTLS=no HOMES=/srv/sftpgo/data
# shellcheck disable=SC1090
. "${LDAP_AUTH_CONF:-/etc/sftpgo/ldap-auth.conf}"

# Only these characters: they mean nothing in a filter of LDAP, in JSON or in a path. A name of dots alone is no directory.
case $name in
    '' | *[!A-Za-z0-9._@-]* | .* | -*) deny "a name that is not looked for" ;;
esac
# To a directory, a bind with a name and no password is a success that proves nothing.
[ -n "$password" ] || deny "no password"

tls=()
if [ "$LDAP_STARTTLS" = yes ]; then tls=(-ZZ); fi
searcher=()
if [ -n "$LDAP_BIND_DN" ]; then searcher=(-D "$LDAP_BIND_DN" -y "$LDAP_PASSWORD_FILE"); fi

found=$(ldapsearch -LLL -x -o ldif-wrap=no -o nettimeout=10 -l 10 -z 2 "${tls[@]}" -H "$LDAP_URI" "${searcher[@]}" \
    -b "$LDAP_BASE" "(&$LDAP_FILTER($LDAP_NAME=$name))" dn) || deny "the directory cannot be searched"

# "dn: uid=..." or "dn:: BASE64"; more than one is nobody.
dn=
while IFS= read -r line; do
    case $line in
        'dn:: '*) one=$(printf '%s' "${line#dn:: }" | base64 -d) ;;
        'dn: '*) one=${line#dn: } ;;
        *) continue ;;
    esac
    [ -z "$dn" ] || deny "more than one entry has this name"
    dn=$one
done <<<"$found"
[ -n "$dn" ] || deny "no entry has this name"

# The password goes through a pipe: everybody can read command lines.
ldapwhoami -x -o nettimeout=10 "${tls[@]}" -H "$LDAP_URI" -D "$dn" -y <(printf '%s' "$password") >/dev/null 2>&1 ||
    deny "the password is wrong"

printf '{"status":1,"username":"%s","home_dir":"%s/%s","permissions":{"/":["*"]}}\n' "$name" "$HOMES" "$name"
