//! Starting a program and ending it.
//!
//! Each has a thread of its own for its whole life: Landlock confines the thread that asks for it, and what that thread starts
//! inherits the rules; so no code has to run between fork and exec, and no other thread of the server is touched. The thread
//! then waits for the end. It ends the group of the program before it collects the program itself: until then nobody else can
//! have its number.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, geteuid, kill_process_group, waitid};
use tokio::sync::oneshot;

use super::confine::Confinement;

/// A program about to run.
#[derive(Debug)]
pub(in crate::program) struct Launch {
    pub(in crate::program) program: PathBuf,
    pub(in crate::program) arguments: Vec<OsString>,
    /// The whole environment.
    pub(in crate::program) environment: Vec<(OsString, OsString)>,
    /// The working directory.
    pub(in crate::program) directory: Arc<OwnedFd>,
    /// User and group it gets, if the server may give them; `None` leaves either alone.
    pub(in crate::program) owner: (Option<u32>, Option<u32>),
    pub(in crate::program) confinement: Confinement,
}

/// The ends of its pipes.
#[derive(Debug)]
pub(in crate::program) struct Pipes {
    pub(in crate::program) stdin: ChildStdin,
    pub(in crate::program) stdout: ChildStdout,
    pub(in crate::program) stderr: ChildStderr,
}

/// A running program.
#[derive(Debug)]
pub(in crate::program) struct Process {
    group: Group,
    /// How it ended, once it and everything in its group has.
    pub(in crate::program) ended: oneshot::Receiver<io::Result<ExitStatus>>,
}

/// The process group, as long as its number is its own.
#[derive(Debug, Clone, Default)]
struct Group(Arc<Mutex<Option<Pid>>>);

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(group) = *self.0.lock() {
            // It may have ended a moment ago.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Process {
    /// Asks it to end.
    pub(in crate::program) fn terminate(&self) {
        self.group.signal(Signal::TERM);
    }

    /// Ends it.
    pub(in crate::program) fn kill(&self) {
        self.group.signal(Signal::KILL);
    }
}

/// Starts a program.
///
/// # Errors
/// No thread, no rules, no pipes, or it cannot be executed.
pub(in crate::program) async fn start(launch: Launch) -> io::Result<(Pipes, Process)> {
    let (started, starting) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    let group = Group::default();
    let own = group.clone();
    std::thread::Builder::new()
        .name("program".to_owned())
        .stack_size(256 * 1024)
        .spawn(move || run(&launch, &own, started, end))?;
    let pipes = starting
        .await
        .map_err(|_| io::Error::other("the thread of a program ended early"))??;
    Ok((pipes, Process { group, ended }))
}

fn run(
    launch: &Launch,
    group: &Group,
    started: oneshot::Sender<io::Result<Pipes>>,
    end: oneshot::Sender<io::Result<ExitStatus>>,
) {
    let (mut child, pipes) = match spawn(launch) {
        Ok(spawned) => spawned,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return;
    };
    *group.0.lock() = Some(pid);
    if started.send(Ok(pipes)).is_err() {
        // Whoever asked for it is gone.
        group.signal(Signal::KILL);
    }
    // It stays uncollected, so its number stays its own.
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), ended) {}
    group.signal(Signal::KILL);
    *group.0.lock() = None;
    let _ = end.send(child.wait());
}

fn spawn(launch: &Launch) -> io::Result<(Child, Pipes)> {
    launch.confinement.enter().map_err(io::Error::other)?;
    let mut command = Command::new(&launch.program);
    command
        .args(&launch.arguments)
        .env_clear()
        .envs(launch.environment.iter().map(|(name, value)| (name, value)))
        // The directory that was judged, and not whatever has its name now.
        .current_dir(format!("/proc/self/fd/{}", launch.directory.as_raw_fd()))
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if geteuid().is_root() {
        // With a user other groups are given up too; each alone leaves the other as it is.
        if let Some(gid) = launch.owner.1 {
            command.gid(gid);
        }
        if let Some(uid) = launch.owner.0 {
            command.uid(uid);
        }
    }
    let mut child = command.spawn()?;
    match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
        (Some(stdin), Some(stdout), Some(stderr)) => {
            let pipes = Pipes {
                stdin,
                stdout,
                stderr,
            };
            Ok((child, pipes))
        }
        _ => {
            child.kill()?;
            child.wait()?;
            Err(io::Error::other("a program without pipes"))
        }
    }
}
