#!/usr/bin/env bash
# Runs a share in a network of its own, and prints what avahi-browse finds: while it runs, then after its end.
#   avahi.sh PROGRAM DIRECTORY [FLAG...]
set -euo pipefail
program=$1 work=$2
shift 2
if [ -z "${INSIDE:-}" ]; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    exec "${as_root[@]}" env INSIDE=yes unshare --net --mount --pid --fork --kill-child bash "$0" "$program" "$work" "$@"
fi
export PATH=$PATH:/usr/sbin:/sbin
mount -t tmpfs none /run
mkdir /run/avahi-daemon
ip link set lo up
# A pair that leads nowhere else.
ip link add share0 type veth peer name share1
ip address add 192.0.2.1/24 dev share0
ip link set share0 up; ip link set share1 up
ip route add 224.0.0.0/4 dev share0
cat >"$work/bus.conf" <<CONF
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=/run/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
CONF
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/bus
dbus-daemon --nofork --nopidfile --config-file="$work/bus.conf" 2>"$work/bus.log" &
for _ in $(seq 100); do [ ! -S /run/bus ] || break; sleep 0.05; done
avahi-daemon --no-drop-root --no-chroot --no-rlimits >"$work/avahi.log" 2>&1 &
browse() { timeout 20 avahi-browse --resolve --parsable --terminate _sftp-ssh._tcp 2>>"$work/browse.log" || true; }
for _ in $(seq 100); do avahi-browse --terminate _sftp-ssh._tcp >/dev/null 2>&1 && break; sleep 0.1; done
"$program" portable "$@" >"$work/share.txt" 2>&1 &
share=$!
found=
for _ in $(seq 200); do
    found=$(browse)
    case $found in *"=;"*) break ;; esac
    kill -0 "$share"
    sleep 0.1
done
echo "$found"
echo "-- ended"
kill -INT "$share"
wait "$share"
for _ in $(seq 100); do
    found=$(browse)
    [ -n "$found" ] || break
    sleep 0.1
done
echo "$found"
