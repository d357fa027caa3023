# The machine of one page: a network, processes and directories of its own, so that the ports and paths of the text are
# free, and nothing that a page does can be seen outside. Runs in the namespaces that machine.rs makes, on a terminal.
#
# $MANUAL is a directory of the test: bin (with sftpgo), work (where the page begins), home, blocks, out.
set -eu

ip link set lo up
# Directories that pages write to: empty, or copies. Layers (overlayfs) would be shorter, and need root.
mkdir "$MANUAL/over"
mount -t tmpfs manual "$MANUAL/over"
cp -a /etc "$MANUAL/over/etc" 2>"$MANUAL/over/unreadable" || true
mount --bind "$MANUAL/over/etc" /etc
mkdir "$MANUAL/over/programs" "$MANUAL/over/bin"
mount --bind /usr/local/bin "$MANUAL/over/programs"
find "$MANUAL/over/programs" -mindepth 1 -maxdepth 1 -exec ln -s -t "$MANUAL/over/bin" {} +
mount --bind "$MANUAL/over/bin" /usr/local/bin
for directory in /mnt /srv /var/lib; do mount -t tmpfs manual "$directory"; done

# Names that pages use. The clients of OpenSSH find their home in the list of users, whatever HOME says.
printf '127.0.0.1 localhost sftp.example.com db.example.com hooks.example\n::1 localhost\n' >/etc/hosts
sed -i "s|^\(root:[^:]*:0:0:[^:]*\):[^:]*:|\1:$MANUAL/home:|" /etc/passwd
export HOME=$MANUAL/home PATH=$MANUAL/bin:$PATH LC_ALL=C.UTF-8
# A reply that is an error is a command that failed.
printf 'fail-with-body\nsilent\nshow-error\n' >"$HOME/.curlrc"
cd "$MANUAL/work"

# From here on helpers for the hidden blocks of pages.

# What is typed where a program asks for a password, from now on.
answer() { printf '%s' "$1" >"$MANUAL/answer"; }

# Polls a command until it succeeds; the deadline is that of the page.
until_true() {
    until "$@" >/dev/null 2>&1; do sleep 0.05; done
}

listens() { ss -Hltn "sport = :$1" | grep -q .; }

# Ends the server that was started last, as Ctrl-C does; what is in the background cannot be interrupted by that.
stop() {
    kill -TERM "$server"
    wait "$server" || true
    server=
}

# The last server is told to read its files again.
reload() { kill -HUP "$server"; }

# A page may say that somebody else has to type it; on this machine there is only root.
sudo() {
    if [ "$1" = -u ]; then shift 2; fi
    "$@"
}

# A command that has to fail.
refused() {
    if "$@"; then
        echo "this was not refused: $*" >&2
        return 1
    fi
}

# From here on what machine.rs calls.

server=
copied=
copier=
answer wonderland

# Standard input is empty: programs that ask do so on the terminal, or on standard error, which the terminal shows too.
block() {
    exec {copied}> >(tee "$MANUAL/out/$1.err" >/dev/tty)
    copier=$!
    # shellcheck disable=SC1090
    . "$MANUAL/blocks/$1.sh" >"$MANUAL/out/$1" 2>&"$copied" </dev/null
    exec {copied}>&-
}

background() {
    # Signals to the server are sent to it alone.
    bash -eu "$MANUAL/blocks/$1.sh" >"$MANUAL/out/$1" 2>"$MANUAL/out/$1.err" </dev/null &
    server=$!
    until listens "${port:-2022}"; do
        kill -0 "$server" 2>/dev/null || { failed "the server ended"; exit 1; }
        sleep 0.02
    done
}

file() {
    mkdir -p "$(dirname "$2")"
    cp "$MANUAL/blocks/$1.sh" "$2"
    if [ "$(head -c 2 "$2")" = '#!' ]; then chmod 755 "$2"; fi
}

# The first failure is kept: those of the shells around it follow from it. Its line is that of the page, where the page has
# called what failed.
failed() {
    local line frame
    line=$(cat "$MANUAL/at")
    for ((frame = 1; frame < ${#BASH_SOURCE[@]}; frame++)); do
        if [[ ${BASH_SOURCE[frame]} == "$MANUAL"/blocks/* ]]; then
            line=${BASH_LINENO[frame - 1]}
            break
        fi
    done
    [ -e "$MANUAL/failure" ] || printf '%s\n%s\n' "$line" "$1" >"$MANUAL/failure"
}

# The terminal stays open while anything of the page is still running.
end() {
    local left attempt
    left=$(jobs -p)
    if [ -n "$left" ]; then
        # shellcheck disable=SC2086
        kill -KILL $left 2>/dev/null || true
        # shellcheck disable=SC2086
        wait $left 2>/dev/null || true
    fi
    # What was said last is still on its way to the terminal, unless something holds that up.
    exec 2>/dev/null
    [ -z "$copied" ] || exec {copied}>&-
    for attempt in {1..50}; do
        kill -0 "$copier" || break
        sleep 0.02
    done
}

set -E
trap end EXIT
trap 'failed "exit status $? of: $BASH_COMMAND"' ERR
