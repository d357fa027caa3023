//! Running the program, and talking to its server.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program in `directory`, with no variables but a home.
pub(crate) fn sftpgo(directory: &Path) -> Command {
    program_at(Path::new(env!("CARGO_BIN_EXE_sftpgo")), directory)
}

/// A copy of the program, likewise.
pub(crate) fn program_at(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    // Not the settings of whoever runs the test.
    command
        .env_clear()
        .env("HOME", directory)
        .current_dir(directory)
        .stdin(Stdio::null());
    command
}

/// Runs it to its end, with `input` as stdin.
pub(crate) fn run(directory: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = sftpgo(directory)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// An address of loopback that was free a moment ago. Somebody may take it: whoever uses it tries again then.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}
