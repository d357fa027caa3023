//! What reaches the disk before a client is told that its upload is complete, seen by `strace` from outside.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::support::Server;

/// Writes down what a running server asks of the file system, until this is dropped.
struct Trace {
    process: Child,
    log: std::path::PathBuf,
}

impl Trace {
    fn of(server: &Server) -> Self {
        let log = server.work().join("trace");
        let process = Command::new("strace")
            .args(["-f", "-y", "-qq", "-p", &server.pid().to_string(), "-e"])
            .arg("trace=fsync,fdatasync,syncfs,rename,renameat,renameat2,linkat,unlinkat")
            .arg("-o")
            .arg(&log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("strace: {error} (scripts/test installs it)"));
        let trace = Self { process, log };
        trace.until_attached(server.pid());
        trace
    }

    /// Waits until every thread of the server is watched.
    fn until_attached(&self, pid: u32) {
        let end = Instant::now() + Duration::from_secs(30);
        let watched = || {
            let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
            tasks.map_while(Result::ok).all(|task| {
                let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
                !status.contains("TracerPid:\t0")
            })
        };
        while !watched() {
            assert!(
                Instant::now() < end,
                "strace cannot attach (a container needs the capability SYS_PTRACE)"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The calls so far that name `word`, in their order.
    fn calls(&self, word: &str) -> Vec<String> {
        let text = fs::read_to_string(&self.log).unwrap();
        text.lines()
            .filter(|line| line.contains(word))
            .map(|line| line.split_once(' ').unwrap().1.trim().to_owned())
            .collect()
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        // Its end lets the server go.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The calls of an upload of `stored` that have to do with it or with its directory, by name.
fn traced(mode: u8, replacing: bool) -> Vec<String> {
    let server = Server::with(json!({ "upload_mode": mode }));
    server.local_file("up", 300_000);
    if replacing {
        fs::write(server.home().join("stored"), "the old file").unwrap();
    }
    let trace = Trace::of(&server);
    server
        .openssh("sftp")
        .args(["-b", "-", "server"])
        .input("put up stored\n")
        .succeed();
    // The client has its answer: what is not done yet comes too late.
    let home = server.home().display().to_string();
    let calls = trace.calls(&home);
    let name = |call: &String| call.split('(').next().unwrap().to_owned();
    assert!(calls.iter().all(|call| call.contains("= 0")), "{calls:#?}");
    calls.iter().map(name).collect()
}

#[test]
fn an_atomic_upload_is_on_disk_before_it_takes_the_name_and_its_name_before_the_answer() {
    for mode in [1, 2] {
        for replacing in [false, true] {
            let calls = traced(mode, replacing);
            let at = |wanted: &[&str]| calls.iter().position(|call| wanted.contains(&&call[..]));
            let data = at(&["fdatasync"]).expect("the data is synced");
            let renamed = at(&["renameat", "renameat2", "linkat"]).expect("it takes the name");
            let directory = calls.iter().rposition(|call| call == "fsync");
            assert!(data < renamed, "mode {mode}: {calls:?}");
            assert!(directory > Some(renamed), "mode {mode}: {calls:?}");
        }
    }
}

#[test]
fn an_upload_in_place_waits_for_no_disk() {
    let calls = traced(0, false);
    assert!(!calls.iter().any(|call| call.contains("sync")), "{calls:?}");
}
