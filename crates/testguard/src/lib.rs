//! Programs that tests start do not outlive them: a process that lives a moment longer than the test process ends them and
//! removes what they left.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "for tests only, which end where something is wrong"
)]

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Waits for the end of its input, which is the end of the test process. Then ends the process that the file `pid` names,
/// or the group of which it is the first, waits for its end, and removes the directory. A process that nobody has asked
/// for its result has ended too.
const SCRIPT: &str = r#"
cat >/dev/null
if read -r pid <"$0/pid"; then
    kill -s "$1" -- "$2$pid"
    count=0
    while kill -0 "$pid" && ! grep -q "^State:.Z" "/proc/$pid/status" && [ $count -lt 200 ]; do
        sleep 0.05
        count=$((count + 1))
    done
    kill -s KILL -- "$2$pid"
fi
rm -rf "$0"
"#;

/// What is ended, and how.
#[derive(Debug, Clone, Copy)]
pub enum Guarded {
    /// One process, by the signal of this name.
    Process(&'static str),
    /// A process and all of the group that it is the first of. Nothing in them is worth an orderly end.
    Group,
}

/// The watch over one directory.
#[derive(Debug)]
pub struct Guardian {
    input: Option<ChildStdin>,
    process: Child,
}

impl Guardian {
    /// Watches over a directory and the process that [`announced`] started for it, if there is one. Dropped, it does its work
    /// and is waited for.
    #[must_use]
    pub fn watch(directory: &Path, guarded: Guarded) -> Self {
        let (signal, sign) = match guarded {
            Guarded::Process(signal) => (signal, ""),
            Guarded::Group => ("KILL", "-"),
        };
        let mut process = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(directory)
            .args([signal, sign])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What ends the tests at the keyboard must not end this before its work.
            .process_group(0)
            .spawn()
            .unwrap();
        Self {
            input: process.stdin.take(),
            process,
        }
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

/// A command that becomes `program` with its arguments. The guardian of the directory learns who is to be ended before there
/// is anybody. Variables and everything else are to be set on what this returns.
#[must_use]
pub fn announced(program: &Command, directory: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"echo $$ >"$0/pid"; exec "$@""#])
        .arg(directory)
        .arg(program.get_program())
        .args(program.get_args());
    command
}

/// A port of the loopback interface that was free a moment ago.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
