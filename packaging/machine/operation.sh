# shellcheck shell=bash disable=SC2154
# What systemd does with the service: reload, watchdog, restart, stop, sockets.

operation() {
    local before
    before=$(main_pid)
    systemctl reload "$unit" || fail "reload"
    until_true journal_says 'asked to reload'
    [ "$(main_pid)" = "$before" ] || fail "a reload is a restart"
    batch_works alice@server 'ls'
    say "reloaded"

    kill -KILL "$before"
    until_true restarted_since "$before"
    batch_works alice@server 'ls'
    say "killed, and started again"

    watchdog
    drain
}

watchdog() {
    local before
    drop_in watchdog <<'UNIT'
[Service]
WatchdogSec=5s
UNIT
    restart
    before=$(main_pid)
    batch_works alice@server 'ls'
    kill -STOP "$before"
    until_true restarted_since "$before"
    journal_says 'Watchdog timeout' || fail "the journal does not speak of the watchdog"
    batch_works alice@server 'ls'
    drop_out watchdog
    restart
    say "stuck, and started again by the watchdog"
}

# A transfer that runs when the service is stopped ends well.
drain() {
    local client stop=0
    rm -f /root/back
    # Three megabytes in five seconds.
    sftp -q -l 5000 -b - alice@server <<<'get new /root/back' >/root/drained 2>&1 &
    client=$!
    until_true test -s /root/back
    kill -0 "$client" || fail "the transfer has ended before the stop"
    systemctl stop "$unit" || stop=$?
    [ "$stop" -eq 0 ] || fail "stop: $stop"
    wait "$client" || fail "the transfer was cut off: $(cat /root/drained)"
    cmp /root/file /root/back || fail "the transfer that ran differs"
    [ "$(property Result)" = success ] || fail "the service ended with $(property Result)"
    systemctl start "$unit" || fail "start"
    say "stopped: the transfer that ran came to its end"
}

sockets() {
    systemctl stop "$unit"
    systemctl enable --quiet --now sftpgo.socket sftpgo-http.socket || fail "the sockets"
    active && fail "the service runs before anybody connects"
    # The first client starts the service.
    batch_works alice@server 'ls'
    active || fail "the socket has not started the service"
    [ "$(fetch /healthz)" = ok ] || fail "HTTP by the socket"
    # Who connects while it restarts waits.
    local number pids=()
    systemctl restart --no-block "$unit"
    for number in 1 2 3 4 5; do
        batch alice@server "get file /root/waited.$number" &
        pids+=($!)
    done
    for number in "${pids[@]}"; do wait "$number" || fail "a client was refused during a restart"; done
    until_true active
    systemctl disable --quiet --now sftpgo.socket sftpgo-http.socket
    restart
    batch_works alice@server 'ls'
    say "sockets: started by a client, and clients wait for a restart"
}
