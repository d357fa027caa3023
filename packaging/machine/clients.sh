# shellcheck shell=bash
# What clients do, in the sandbox of the unit.

look_at_the_sandbox() {
    local status
    status=/proc/$(main_pid)/status
    grep -q '^NoNewPrivs:[[:space:]]1$' "$status" || fail "the service may get privileges"
    grep -q '^Seccomp:[[:space:]]2$' "$status" || fail "system calls of the service are not filtered"
    grep -q '^CapBnd:[[:space:]]0*$' "$status" || fail "the service has capabilities"
    say "no privileges, filtered system calls"
}

clients() {
    batch_works alice@server 'put /root/file file' 'mkdir dir' 'chmod 640 file' "chown $(id -u sftpgo) file" \
        "chgrp $(id -g sftpgo) file" 'ln -s file link' 'ln file second' 'rename file dir/file' 'rename second file' 'ls -l' \
        'get file /root/back' 'df' 'put -p /root/file dir/timed'
    cmp /root/file /root/back || fail "the download differs"
    local stored=/srv/sftpgo/data/alice
    [ "$(stat -c '%U:%G %a' "$stored/file")" = "sftpgo:sftpgo 640" ] || fail "chmod: $(stat "$stored/file")"
    [ "$(readlink "$stored/link")" = file ] || fail "the link leads to $(readlink "$stored/link")"
    [ "$(stat -c %Y "$stored/dir/timed")" = "$(stat -c %Y /root/file)" ] || fail "the time of a file is lost"
    # The kernel says no.
    refused batch alice@server 'chown 0 file'
    batch_works alice@server 'rm link' 'rm dir/timed' 'mkdir shared'
    # A directory whose group goes on to what is made in it.
    chmod 2770 "$stored/shared"
    batch_works alice@server 'chmod 750 shared' 'mkdir shared/below'
    [ "$(stat -c %a "$stored/shared")" = 2750 ] || fail "the setgid bit: $(stat "$stored/shared")"

    batch_works bob@server 'put /etc/hostname small'
    refused batch bob@server 'put /root/file big'

    scp -q /root/file alice@server:new || fail "scp"
    scp -q -O /root/file alice@server:old || fail "scp -O"
    scp -q -O alice@server:new /root/back || fail "scp -O, download"
    cmp /root/file /root/back || fail "scp: the download differs"
    [ "$(ssh alice@server md5sum /new | cut -d' ' -f1)" = "$(md5sum /root/file | cut -d' ' -f1)" ] || fail "md5sum"
    ssh alice@server df >/dev/null || fail "df"
    say "sftp, scp, check sums, a quota"

    [ "$(fetch /healthz)" = ok ] || fail "/healthz: $(fetch /healthz)"
    grep -q ^sftpgo_ <<<"$(fetch /metrics)" || fail "/metrics"
    grep -q alice <<<"$(fetch /web/users)" || fail "the web admin does not list alice"
    fetch '/api/v1/dumpdata?output_file=dump.json' >/dev/null
    test -s /var/lib/sftpgo/backups/dump.json || fail "there is no dump in /var/lib/sftpgo/backups"
    say "web admin, REST, a dump"
}

# Programs that the server starts, with Landlock on top of the sandbox.
git_and_rsync() {
    mkdir -p /root/tree/below
    cp /root/file /root/tree/below/file
    ln -s below/file /root/tree/link
    batch_works alice@server 'mkdir tree'
    rsync -a --delete /root/tree/ alice@server:tree/ || fail "rsync to the server"
    rsync -a alice@server:tree/ /root/tree.back/ || fail "rsync from the server"
    diff -r /root/tree /root/tree.back || fail "rsync: the trees differ"

    git init --quiet --bare /root/project.git
    batch_works alice@server 'put -r /root/project.git'
    git clone --quiet alice@server:project.git /root/project 2>/dev/null || fail "git clone"
    cp /root/file /root/project/
    git -C /root/project add file
    git -C /root/project -c user.name=a -c user.email=a@b commit --quiet --message=first
    git -C /root/project push --quiet origin HEAD || fail "git push"
    git clone --quiet alice@server:project.git /root/project.back || fail "git clone of what was pushed"
    cmp /root/file /root/project.back/file || fail "git: the file differs"
    git archive --remote=alice@server:project.git HEAD >/root/archive.tar || fail "git archive"
    say "rsync and git"
}
