//! A process that outlives the test process by a moment, ends its emulator and removes what it left.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Waits for the end of its input, which is the end of the test process. Then ends the group of processes that the file
/// `pid` names, waits until its first one is gone (or has ended and nobody has asked for its result), and removes the
/// directory. Nothing in an emulator is worth an orderly end.
const SCRIPT: &str = r#"
cat >/dev/null
if read -r pid <"$0/pid"; then
    kill -s KILL -- "-$pid"
    count=0
    while kill -0 "$pid" && ! grep -q "^State:.Z" "/proc/$pid/status" && [ $count -lt 200 ]; do
        sleep 0.05
        count=$((count + 1))
    done
fi
rm -rf "$0"
"#;

/// The watch over one directory.
#[derive(Debug)]
pub(crate) struct Guardian {
    input: Option<ChildStdin>,
    process: Child,
}

impl Guardian {
    pub(crate) fn watch(directory: &Path) -> Self {
        let mut process = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(directory)
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
