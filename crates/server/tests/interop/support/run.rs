//! One run of a client: always with a deadline, never with the settings of whoever runs the test.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// Far more than any of them needs on a busy machine; it only keeps a client that hangs from hanging the tests.
const DEADLINE: Duration = Duration::from_secs(120);

/// A client that is about to run.
pub(crate) struct Run {
    command: Command,
    line: String,
    input: Vec<u8>,
    deadline: Duration,
}

/// A client that has ended.
pub(crate) struct Finished {
    line: String,
    status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Run {
    /// `program` with `home` as its home, in the directory `current`.
    pub(crate) fn new(program: impl AsRef<OsStr>, home: &Path, current: &Path) -> Self {
        let program = program.as_ref();
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            // Names must be seen as UTF-8, messages in English.
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .env("TERM", "dumb")
            .current_dir(current);
        let line = program.to_string_lossy().into_owned();
        Self {
            command,
            line,
            input: Vec::new(),
            deadline: DEADLINE,
        }
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.line.push(' ');
        self.line.push_str(&argument.as_ref().to_string_lossy());
        self.command.arg(argument);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Self {
        arguments.into_iter().fold(self, Run::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What the client reads from stdin.
    pub(crate) fn input(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.input = text.into();
        self
    }

    /// For the few that move a lot.
    pub(crate) fn deadline(mut self, seconds: u64) -> Self {
        self.deadline = Duration::from_secs(seconds);
        self
    }

    /// Runs it to its end, however it ends.
    pub(crate) fn finish(mut self) -> Finished {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let status = runtime.block_on(async {
            let mut child = self.command.spawn().unwrap_or_else(|error| {
                panic!("{}: {error} (scripts/test installs the clients)", self.line)
            });
            let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
            let mut stdin = child.stdin.take().unwrap();
            let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
            let feed = async {
                // A client may end before it has read everything.
                let _ = stdin.write_all(&self.input).await;
                drop(stdin);
            };
            let all = async {
                let reads = (out.read_to_end(&mut stdout), err.read_to_end(&mut stderr));
                tokio::join!(feed, reads.0, reads.1, child.wait())
                    .3
                    .unwrap()
            };
            let status = tokio::time::timeout(self.deadline, all).await;
            if let (Err(_), Some(group)) = (&status, group) {
                // With whatever it started itself: lftp and sftp run ssh.
                let _ = kill_process_group(group, Signal::KILL);
            }
            status
        });
        let line = self.line;
        match status {
            Ok(status) => Finished {
                line,
                status,
                stdout,
                stderr,
            },
            Err(_) => panic!(
                "not finished after {:?}: {line}\n{}",
                self.deadline,
                transcript(&stdout, &stderr)
            ),
        }
    }

    /// Runs it and expects success.
    pub(crate) fn succeed(self) -> Finished {
        let finished = self.finish();
        assert!(finished.status.success(), "{finished}");
        finished
    }

    /// Runs it and expects a failure that it reports by its exit status, not by a crash.
    pub(crate) fn fail(self) -> Finished {
        let finished = self.finish();
        assert!(
            finished.status.code().is_some_and(|code| code != 0),
            "{finished}"
        );
        finished
    }
}

impl Finished {
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Everything it printed on stdout, with replacement characters for what is not UTF-8.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Everything it printed.
    pub(crate) fn said(&self) -> String {
        transcript(&self.stdout, &self.stderr)
    }

    /// Expects `text` somewhere in what it printed.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.said().contains(text), "{text:?} not found in: {self}");
        self
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = self.said();
        write!(f, "{}: {}\n{said}", self.line, self.status)
    }
}

fn transcript(stdout: &[u8], stderr: &[u8]) -> String {
    format!(
        "stdout:\n{}\nstderr:\n{}",
        String::from_utf8_lossy(stdout),
        String::from_utf8_lossy(stderr)
    )
}
