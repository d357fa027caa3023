# shellcheck shell=bash disable=SC2154
# Programs of the operator: they are started by the server, and so are in its sandbox.

# A directory with one person, as the samples expect one.
start_a_directory() {
    mkdir -p /srv/directory
    cat >/srv/directory/slapd.conf <<'CONF'
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile /srv/directory/pid
database mdb
suffix dc=example,dc=com
directory /srv/directory
rootdn cn=admin,dc=example,dc=com
rootpw searching
CONF
    slapadd -f /srv/directory/slapd.conf <<'LDIF' || fail "slapadd"
dn: dc=example,dc=com
objectClass: domain
dc: example

dn: uid=carol,dc=example,dc=com
objectClass: inetOrgPerson
objectClass: posixAccount
cn: carol
sn: carol
uid: carol
uidNumber: 1000
gidNumber: 1000
homeDirectory: /none
userPassword: wonderland
LDIF
    systemd-run --quiet --unit=directory slapd -d 0 -h ldap://127.0.0.1:1389 -f /srv/directory/slapd.conf
    until_true ldapsearch -x -H ldap://127.0.0.1:1389 -b dc=example,dc=com '(uid=carol)' dn >/dev/null
    printf searching >/etc/sftpgo/ldap-password
    cat >/etc/sftpgo/ldap-auth.conf <<'CONF'
LDAP_URI=ldap://127.0.0.1:1389
LDAP_BASE=dc=example,dc=com
LDAP_BIND_DN=cn=admin,dc=example,dc=com
LDAP_PASSWORD_FILE=/etc/sftpgo/ldap-password
CONF
    cat >/etc/sftpgo/ldap-auth.ini <<'CONF'
[ldap]
uri = ldap://127.0.0.1:1389
base = dc=example,dc=com
bind_dn = cn=admin,dc=example,dc=com
password_file = /etc/sftpgo/ldap-password
CONF
    chgrp sftpgo /etc/sftpgo/ldap-*
    chmod 640 /etc/sftpgo/ldap-*
}

# A login with a password.
carol() {
    printf '#!/bin/sh\necho %s\n' "$1" >/root/askpass
    chmod 755 /root/askpass
    SSH_ASKPASS=/root/askpass SSH_ASKPASS_REQUIRE=force \
        sftp -o BatchMode=no -o NumberOfPasswordPrompts=1 -o PubkeyAuthentication=no carol@server <<<'put /root/file' >/root/said 2>&1
}

ask_the_directory() {
    local sample
    for sample in ldap-auth.sh ldap-auth.py; do
        sed -i '/EXTERNAL_AUTH/d' /etc/sftpgo/sftpgo.env
        cat >>/etc/sftpgo/sftpgo.env <<ENV
SFTPGO_DATA_PROVIDER__EXTERNAL_AUTH_PROGRAM=$examples/ldap/$sample
SFTPGO_DATA_PROVIDER__EXTERNAL_AUTH_SCOPE=1
ENV
        restart
        carol wonderland || fail "$sample does not let in: $(cat /root/said)"
        refused carol looking-glass
    done
    cmp /root/file /srv/sftpgo/data/carol/file || fail "what carol has uploaded"
    sed -i '/EXTERNAL_AUTH/d' /etc/sftpgo/sftpgo.env
    say "the samples for LDAP"
}

# What programs do as a rule works, and what the sandbox is for does not.
tell_a_program() {
    cat >/usr/local/bin/gate <<'PROGRAM'
#!/bin/bash
[[ $1 != pre-upload || $3 != *.exe ]]
PROGRAM
    cat >/usr/local/bin/on-file <<'PROGRAM'
#!/usr/bin/python3
import ctypes, mmap, os, pathlib, socket, sqlite3, subprocess, sys, tempfile, threading

told = pathlib.Path("/srv/sftpgo/told")
lines = [" ".join(sys.argv[1:3])]
if sys.argv[1] == "upload":
    subprocess.run(["/bin/sh", "-c", "sort </dev/null | wc -l"], check=True, stdout=subprocess.DEVNULL)
    thread = threading.Thread(target=socket.getaddrinfo, args=("localhost", 80))
    thread.start()
    thread.join()
    with tempfile.NamedTemporaryFile() as file:
        sqlite3.connect(file.name).execute("create table t (a)")
    os.chmod(sys.argv[3], 0o644)
    # As an interpreter that compiles does.
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
    # By its mode anybody may write there; and read this.
    try:
        pathlib.Path("/opt/open/written").touch()
        lines.append("wrote outside")
    except OSError:
        pass
    try:
        os.listdir("/home")
        lines.append("read /home")
    except OSError:
        pass
    if os.path.exists("/tmp/key.pub"):
        lines.append("saw /tmp of others")
    others = [one for one in os.listdir("/proc") if one.isdigit() and os.stat("/proc/" + one).st_uid != os.getuid()]
    lines += ["saw process " + one for one in others]
    if os.path.exists("/dev/console"):
        lines.append("saw a device")
    if any(name.startswith("SFTPGO_DATA") for name in os.environ):
        lines.append("got a setting")
lines.append("end")
with told.open("a") as file:
    file.write("\n".join(lines) + "\n")
PROGRAM
    chmod 755 /usr/local/bin/gate /usr/local/bin/on-file
    install -d -m 777 /opt/open
    cat >>/etc/sftpgo/sftpgo.env <<'ENV'
SFTPGO_SFTPD__ACTIONS__EXECUTE_ON=upload,delete
SFTPGO_SFTPD__ACTIONS__COMMAND=/usr/local/bin/on-file
SFTPGO_SFTPD__ACTIONS__MAX_RUNNING=1
ENV
    restart
    batch_works alice@server 'put /root/file told'
    until_true grep -q '^end$' /srv/sftpgo/told
    batch_works alice@server 'rm told'
    until_true grep -q '^delete' /srv/sftpgo/told
    diff - /srv/sftpgo/told <<<$'upload alice\nend\ndelete alice\nend' || fail "that is more than a program may"
    sed -i 's/=upload,delete$/=pre-upload/; s/on-file/gate/' /etc/sftpgo/sftpgo.env
    restart
    batch_works alice@server 'put /root/file good'
    refused batch alice@server 'put /root/file bad.exe'
    sed -i '/ACTIONS/d' /etc/sftpgo/sftpgo.env
    restart
    say "an action in Python, a gate in bash; they write, read and see no more than they should"
}

programs_of_the_operator() {
    start_a_directory
    ask_the_directory
    tell_a_program
}
