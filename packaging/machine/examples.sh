# shellcheck shell=bash disable=SC2154
# The drop-ins that the package has as examples, and what the journal says at the end.

use_example() {
    mkdir -p "$drop_ins"
    cp "$examples/systemd/$1" "$drop_ins/"
    systemctl daemon-reload
    restart
}

the_examples() {
    mkdir -p /data/transfer /etc/sftpgo
    chown sftpgo:sftpgo /data/transfer
    account user add dora --no-password --public-key-file /tmp/key.pub --home-dir /data/transfer/dora
    refused batch dora@server 'put /root/file file'
    use_example homes.conf
    batch_works dora@server 'put /root/file file'
    say "homes.conf: a home outside /srv/sftpgo"

    use_example owners.conf
    batch_works dora@server 'chown 1234 file' 'chgrp 4321 file' 'chmod 600 file' 'get file /root/back' 'rm file'
    account user add erin --no-password --public-key-file /tmp/key.pub --uid 1234 --gid 4321
    batch_works erin@server 'put /root/file file' 'get file /root/back'
    [ "$(stat -c %u:%g /srv/sftpgo/data/erin/file)" = 1234:4321 ] || fail "the owner: $(stat /srv/sftpgo/data/erin/file)"
    rsync -a /root/tree/ alice@server:owned/ || fail "rsync with privileges"
    say "owners.conf: files of other users"

    sed -i 's/^bind_port = 2022$/bind_port = 22/' "$settings"
    use_example low-port.conf
    sftp -q -P 22 -b - alice@server <<<'ls' >/root/said 2>&1 || fail "port 22: $(cat /root/said)"
    sed -i 's/^bind_port = 22$/bind_port = 2022/' "$settings"
    rm "$drop_ins/low-port.conf" "$drop_ins/owners.conf" "$drop_ins/homes.conf"

    printf secret >/etc/sftpgo/database-password
    chmod 600 /etc/sftpgo/database-password
    use_example credentials.conf
    batch_works alice@server 'ls'
    rm "$drop_ins/credentials.conf" /etc/sftpgo/database-password
    say "low-port.conf, credentials.conf"
    systemctl daemon-reload
    restart
}

look_at_the_journal() {
    local said
    said=$(journal --unit="$unit" | grep -E '"level":"error"|Operation not permitted' || true)
    [ -z "$said" ] || fail "the journal has: $said"
    # Nothing but what was done to the service: it was killed, and it was stuck.
    journal --priority=warning _PID=1 | grep -F "$unit" | sed 's/code=dumped/code=killed/' >/root/said || true
    diff - /root/said <<'SAID' || fail "systemd has more to say of the service, or less"
sftpgo.service: Main process exited, code=killed, status=9/KILL
sftpgo.service: Failed with result 'signal'.
sftpgo.service: Watchdog timeout (limit 5s)!
sftpgo.service: Main process exited, code=killed, status=6/ABRT
sftpgo.service: Failed with result 'watchdog'.
SAID
    say "the journal has no errors, and no forbidden system call"
}
