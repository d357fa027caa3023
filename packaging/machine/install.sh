# shellcheck shell=bash disable=SC2154
# The package comes and goes on a running machine.

install_the_package() {
    dpkg --install sftpgo.deb >/root/said 2>&1 || fail "dpkg: $(cat /root/said)"
    # Its start has ended: the service says itself when it is ready.
    active || fail "the service does not run after the installation"
    systemctl is-enabled --quiet "$unit" || fail "the service is not enabled"
    grep -q 'serving SFTP on' <<<"$(property StatusText)" || fail "the status says: $(property StatusText)"
    say "installed: the service runs and has said so"
}

# What the filter forbids would be an error that a program may hide; here it ends the process instead, and the check.
prepare() {
    drop_in check <<'UNIT'
[Unit]
# It is restarted more often here than anywhere.
StartLimitIntervalSec=0
[Service]
SystemCallErrorNumber=kill
RestartSec=100ms
UNIT
    sed -i 's/^\[sftpd\]$/&\nenabled_ssh_commands = ["*"]/' "$settings"
    restart

    ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
    cat >/root/.ssh/config <<'SSH'
Host *
    HostName 127.0.0.1
    Port 2022
    StrictHostKeyChecking accept-new
    BatchMode yes
    ConnectTimeout 20
SSH
    cp /root/.ssh/id_ed25519.pub /tmp/key.pub
    account user add alice --no-password --public-key-file /tmp/key.pub
    account user add bob --no-password --public-key-file /tmp/key.pub --quota-size 1MiB
    head -c 3000000 /dev/urandom >/root/file
}

upgrade_and_removal() {
    local before
    before=$(main_pid)
    dpkg --install sftpgo.deb >/root/said 2>&1 || fail "upgrade: $(cat /root/said)"
    restarted_since "$before" || fail "the upgrade has not restarted the service"
    batch_works alice@server 'get file /root/again'
    dpkg --purge sftpgo >/root/said 2>&1 || fail "purge: $(cat /root/said)"
    [ ! -e "/sys/fs/cgroup/system.slice/$unit" ] || fail "the server runs after the removal"
    [ "$(property LoadState)" != loaded ] || fail "systemd has not forgotten the service"
    say "upgraded and removed while it ran"
}
