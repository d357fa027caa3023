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
pub(crate) struct Pipes {
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: ChildStdout,
    pub(crate) stderr: ChildStderr,
}

/// A running program. Whoever drops it before it ended ends it.
#[derive(Debug)]
pub(crate) struct Process {
    group: Group,
    /// How it ended, once it and everything in its group has.
    pub(crate) ended: oneshot::Receiver<io::Result<ExitStatus>>,
}

/// The process group, as long as its number is its own.
#[derive(Debug, Clone)]
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
    /// Something that ends it as well, for whoever does not own it.
    pub(crate) fn killer(&self) -> Killer {
        Killer(Some(self.group.clone()))
    }

    /// Asks it to end.
    pub(in crate::program) fn terminate(&self) {
        self.group.signal(Signal::TERM);
    }

    /// Ends it.
    pub(in crate::program) fn kill(&self) {
        self.group.signal(Signal::KILL);
    }
}

impl Drop for Process {
    /// Also when nobody waits any more for the start: what was started then never gets an owner.
    fn drop(&mut self) {
        self.kill();
    }
}

/// Ends a program when it is dropped, if that has not ended by then.
#[derive(Debug)]
pub(crate) struct Killer(Option<Group>);

impl Killer {
    /// Lets the program be.
    pub(crate) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Killer {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            group.signal(Signal::KILL);
        }
    }
}

/// Starts a program.
///
/// # Errors
/// No thread, no rules, no pipes, or it cannot be executed.
pub(in crate::program) async fn start(launch: Launch) -> io::Result<(Pipes, Process)> {
    start_with(move || spawn(&launch)).await
}

/// A program of the operator. No `Debug`: there are passwords in variables.
pub(crate) struct Trusted {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    /// What it finds in its environment beside what the server has.
    pub(crate) variables: Vec<(&'static str, OsString)>,
}

/// Variables with settings of the server begin so: passwords of databases are among them.
const SETTINGS: &[u8] = b"SFTPGO_";

/// What the service manager tells the server alone. A program that had these could say that the server is ready, or alive.
const SERVICE_MANAGER: &[&str] = &[
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
];

/// Starts a program of the operator: it may do what the server may. It has the environment of the server without settings
/// and without what the service manager tells the server, and its variables.
///
/// # Errors
/// No thread, no pipes, it cannot be executed, or an argument or a variable has a NUL byte in it.
pub(crate) async fn start_trusted(trusted: Trusted) -> io::Result<(Pipes, Process)> {
    start_with(move || {
        let mut command = Command::new(trusted.program);
        // Only names are looked at: it is not here that the server reads its environment.
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(SETTINGS) {
                command.env_remove(name);
            }
        }
        for name in SERVICE_MANAGER {
            command.env_remove(name);
        }
        command.args(trusted.arguments).envs(trusted.variables);
        spawn_piped(command)
    })
    .await
}

async fn start_with(
    spawn: impl FnOnce() -> io::Result<(Child, Pipes)> + Send + 'static,
) -> io::Result<(Pipes, Process)> {
    let (started, starting) = oneshot::channel();
    std::thread::Builder::new()
        .name("program".to_owned())
        .stack_size(256 * 1024)
        .spawn(move || run(spawn, started))?;
    starting
        .await
        .map_err(|_| io::Error::other("the thread of a program ended early"))?
}

fn run(
    spawn: impl FnOnce() -> io::Result<(Child, Pipes)>,
    started: oneshot::Sender<io::Result<(Pipes, Process)>>,
) {
    let (mut child, pipes) = match spawn() {
        Ok(spawned) => spawned,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let group = Group(Arc::new(Mutex::new(pid)));
    let (end, ended) = oneshot::channel();
    let process = Process {
        group: group.clone(),
        ended,
    };
    // If whoever asked for it is gone, this drops the process and so ends it.
    drop(started.send(Ok((pipes, process))));
    if let Some(pid) = pid {
        // It stays uncollected, so its number stays its own.
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), ended) {}
    }
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
        .current_dir(format!("/proc/self/fd/{}", launch.directory.as_raw_fd()));
    if geteuid().is_root() {
        // With a user other groups are given up too; each alone leaves the other as it is.
        if let Some(gid) = launch.owner.1 {
            command.gid(gid);
        }
        if let Some(uid) = launch.owner.0 {
            command.uid(uid);
        }
    }
    spawn_piped(command)
}

fn spawn_piped(mut command: Command) -> io::Result<(Child, Pipes)> {
    command
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
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

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Read;
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::super::confine::{self, Allowed};
    use super::super::find::Tool;
    use super::*;

    fn pinned(path: &Path) -> Arc<OwnedFd> {
        Arc::new(File::open(path).unwrap().into())
    }

    /// `sh -c script` in `directory`, which it may write to; `sh` and these programs may be executed.
    fn shell(directory: &Path, script: &str, programs: &[&str]) -> Launch {
        let directory = pinned(directory);
        let mut executables = Tool::Rsync.executables(Path::new("/bin/sh"));
        executables.extend(programs.iter().map(PathBuf::from));
        Launch {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
            confinement: Confinement {
                objects: vec![Allowed {
                    object: Arc::clone(&directory),
                    directory: true,
                    write: true,
                }],
                executables,
            },
            directory,
            owner: (None, None),
        }
    }

    /// What it printed, and whether it succeeded.
    async fn run(launch: Launch) -> (String, bool) {
        let (pipes, mut process) = start(launch).await.unwrap();
        drop(pipes.stdin);
        let mut stdout = pipes.stdout;
        let text = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            text
        });
        let text = text.await.unwrap();
        (text, (&mut process.ended).await.unwrap().unwrap().success())
    }

    #[tokio::test]
    async fn a_confined_program_sees_its_directory_and_nothing_else() {
        assert!(
            confine::is_available(),
            "this test needs Landlock (Linux 5.19)"
        );
        let root = tempfile::tempdir().unwrap();
        let (own, other) = (root.path().join("own"), root.path().join("other"));
        for directory in [&own, &other] {
            fs::create_dir(directory).unwrap();
            fs::write(directory.join("file"), "content").unwrap();
        }
        fs::write(own.join("script"), "#!/bin/sh\necho ran\n").unwrap();
        fs::copy("/bin/true", own.join("binary")).unwrap();
        for name in ["script", "binary"] {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs::set_permissions(own.join(name), mode).unwrap();
        }
        std::os::unix::fs::symlink(other.join("file"), own.join("link")).unwrap();
        let (own, other) = (own.as_path(), other.display());
        let cat = &["/bin/cat"][..];
        let (text, fine) = run(shell(
            own,
            "cat file && echo new > new && mv new newer",
            cat,
        ))
        .await;
        // mv may not be executed.
        assert_eq!((text.as_str(), fine), ("content", false));
        assert!(own.join("new").exists());
        for script in [
            "cat /etc/passwd".to_owned(),
            format!("cat {other}/file"),
            "cat ../other/file".to_owned(),
            "cat link".to_owned(),
            "cat /proc/self/environ".to_owned(),
            format!("echo x > {other}/new"),
            "echo x > /tmp/sftpgo-program-test".to_owned(),
            "echo x > link".to_owned(),
            "./script".to_owned(),
            "./binary".to_owned(),
            "/bin/true".to_owned(),
            "kill -0 1".to_owned(),
        ] {
            let (text, fine) = run(shell(own, &script, cat)).await;
            assert_eq!((text.as_str(), fine), ("", false), "{script}");
        }
        assert_eq!(
            fs::read_to_string(root.path().join("other/file")).unwrap(),
            "content"
        );
        assert!(!root.path().join("other/new").exists());
    }

    #[tokio::test]
    async fn the_thread_that_was_confined_is_not_one_of_the_server() {
        let directory = tempfile::tempdir().unwrap();
        run(shell(directory.path(), ":", &[])).await;
        assert!(fs::read_to_string("/etc/passwd").is_ok());
        let read = tokio::task::spawn_blocking(|| fs::read_to_string("/etc/passwd"));
        assert!(read.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn what_a_program_leaves_behind_ends_with_it() {
        let directory = tempfile::tempdir().unwrap();
        // It would hold its end of the pipe for a minute.
        let script = "sleep 60 & echo started";
        let start = Instant::now();
        let (text, fine) = run(shell(directory.path(), script, &["/bin/sleep"])).await;
        assert_eq!((text.as_str(), fine), ("started\n", true));
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[tokio::test]
    async fn a_program_that_does_not_listen_is_killed() {
        let directory = tempfile::tempdir().unwrap();
        let script = "trap '' TERM; echo ready; while :; do sleep 1; done";
        let (pipes, mut process) = start(shell(directory.path(), script, &["/bin/sleep"]))
            .await
            .unwrap();
        let mut stdout = pipes.stdout;
        let ready = tokio::task::spawn_blocking(move || stdout.read_exact(&mut [0; 6]));
        ready.await.unwrap().unwrap();
        process.terminate();
        process.kill();
        assert!(!(&mut process.ended).await.unwrap().unwrap().success());
    }

    #[tokio::test]
    async fn a_program_without_an_owner_ends() {
        let directory = tempfile::tempdir().unwrap();
        let script = "trap '' TERM; echo ready; while :; do sleep 1; done";
        let (pipes, process) = start(shell(directory.path(), script, &["/bin/sleep"]))
            .await
            .unwrap();
        drop(process);
        let mut stdout = pipes.stdout;
        let ended = tokio::task::spawn_blocking(move || stdout.read_to_end(&mut Vec::new()));
        ended.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_cannot_be_executed_is_an_error_and_no_process() {
        let directory = tempfile::tempdir().unwrap();
        let mut launch = shell(directory.path(), ":", &[]);
        launch.program = "/nonexistent".into();
        assert!(start(launch).await.is_err());
    }
}
