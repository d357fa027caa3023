//! Runs a page as a reader would: in order, in one shell, at a terminal, on a machine of its own.
//!
//! The machine is `sandbox.sh` in namespaces of the kernel, made by `unshare`; when the page is over, or its time, all of
//! its processes are gone. The terminal is `script`; `terminal.rs` sits at it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::output;
use crate::page::{Block, Kind, Page, root};
use crate::terminal;

/// A page has so long for all of its commands.
const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) fn run(path: &str) {
    if let Err(problem) = execute(&Page::read(path), DEADLINE) {
        panic!("{problem}");
    }
}

fn execute(page: &Page, deadline: Duration) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    play(page, directory, deadline)?;
    compare_output(page, directory)
}

/// Goes through the blocks of the page.
fn play(page: &Page, directory: &Path, deadline: Duration) -> Result<(), String> {
    prepare(page, directory);
    let mut child = start(directory);
    let terminal = terminal::answer(&mut child, directory);
    let began = Instant::now();
    let ended = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if began.elapsed() > deadline {
            // All its processes go with it: unshare is told so.
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        thread::sleep(Duration::from_millis(20));
    };
    let said = terminal.join().unwrap();
    let read = |name: String| fs::read_to_string(directory.join(name)).unwrap_or_default();
    let at = read("at".to_owned()).trim().to_owned();
    if !ended.is_some_and(|status| status.success()) {
        let failure = read("failure".to_owned());
        let (line, what) = failure.split_once('\n').unwrap_or((&at, ""));
        return Err(format!(
            "{}:{line}: {} {what}\n-- standard output\n{}-- standard error\n{}-- terminal\n{said}\n-- log\n{}",
            page.path,
            ended.map_or_else(
                || "not done in time;".to_owned(),
                |status| format!("{status};")
            ),
            read(format!("out/{at}")),
            read(format!("out/{at}.err")),
            tail(&read("work/sftpgo.log".to_owned())),
        ));
    }
    Ok(())
}

/// Compares what was written with what the page says.
fn compare_output(page: &Page, directory: &Path) -> Result<(), String> {
    let mut before: Option<&Block> = None;
    for block in &page.blocks {
        match &block.kind {
            Kind::Shell => before = Some(block),
            Kind::Output => {
                let before =
                    before.ok_or_else(|| format!("{}:{}: of what?", page.path, block.line))?;
                let file = directory.join(format!("out/{}", before.line));
                let written = fs::read_to_string(file).unwrap_or_default();
                if !output::matches(&block.text, &written) {
                    return Err(format!(
                        "{}:{}: the command writes\n{written}\nand not\n{}",
                        page.path, block.line, block.text
                    ));
                }
            }
            Kind::Background | Kind::File(_) | Kind::Unrun(_) | Kind::Other(_) => {}
        }
    }
    Ok(())
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// Writes the blocks to files, each of which begins with so many empty lines that its lines have the numbers of the page,
/// and the script that goes through them.
fn prepare(page: &Page, directory: &Path) {
    for name in ["bin", "blocks", "home", "out", "work"] {
        fs::create_dir(directory.join(name)).unwrap();
    }
    symlink(env!("CARGO_BIN_EXE_sftpgo"), directory.join("bin/sftpgo")).unwrap();
    let sandbox = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manual/sandbox.sh");
    let mut script = fs::read_to_string(sandbox).unwrap();
    for Block { line, kind, text } in &page.blocks {
        let numbered = |text: &str| format!("{}{text}", "\n".repeat(*line));
        let (call, text) = match kind {
            Kind::Shell => (format!("block {line}"), numbered(text)),
            Kind::Background => (
                format!("background {line}"),
                numbered(&format!("exec env {text}")),
            ),
            Kind::File(path) => (format!("file {line} '{path}'"), text.clone()),
            Kind::Output | Kind::Unrun(_) | Kind::Other(_) => continue,
        };
        fs::write(directory.join(format!("blocks/{line}.sh")), text).unwrap();
        script.push_str(&format!("echo {line} >\"$MANUAL/at\"\n{call}\n"));
    }
    script.push_str("exit 0\n");
    fs::write(directory.join("run.sh"), script).unwrap();
}

const TERMINAL: &str = r#"
script --quiet --flush --return --command "bash '$MANUAL/run.sh'" /dev/null
exit $?
"#;

fn start(directory: &Path) -> Child {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let stores = std::env::var_os("SFTPGO_TEST_STORES")
        .map_or_else(|| root().join("target/test-stores"), PathBuf::from);
    command
        .args([
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ])
        // The first process there inherits the children of others: that is a shell, since `script` takes each for its own.
        .args(["sh", "-c", TERMINAL])
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("SHELL", "/bin/bash")
        .env("TERM", "dumb")
        .env("MANUAL", directory)
        .env("REPOSITORY", root())
        // Where scripts/test puts emulators of object stores.
        .env("STORES", stores)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    command
        .spawn()
        .unwrap_or_else(|error| panic!("unshare, of util-linux, cannot be run: {error}"))
}

/// What is wrong with a page of this text.
fn fault(text: &str, deadline: Duration) -> String {
    execute(&Page::of("page", text), deadline).unwrap_err()
}

#[test]
fn a_page_that_is_wrong_fails_with_its_line() {
    let broken = fault(
        "Text.\n\n```sh\ntrue\necho seen\ntest -e /nowhere\n```\n",
        DEADLINE,
    );
    assert!(broken.starts_with("page:6: "), "{broken}");
    assert!(
        broken.contains("test -e /nowhere") && broken.contains("seen"),
        "{broken}"
    );

    let helper = fault("```sh\ntrue\nrefused true\n```\n", DEADLINE);
    assert!(
        helper.starts_with("page:3: ") && helper.contains("not refused"),
        "{helper}"
    );

    let syntax = fault("Text.\n```sh\ntrue\nif\n```\n", DEADLINE);
    assert!(
        syntax.starts_with("page:2: ") && syntax.contains("syntax error"),
        "{syntax}"
    );

    let unset = fault("```sh\ntrue\necho \"$nothing\"\n```\n", DEADLINE);
    assert!(
        unset.starts_with("page:1: ") && unset.contains("unbound"),
        "{unset}"
    );

    let slow = fault("```sh\nsleep 600\n```\n", Duration::from_secs(5));
    assert!(slow.starts_with("page:1: not done in time"), "{slow}");

    let ended = fault(
        "```sh,background\nsftpgo serve --config-file\n```\n",
        DEADLINE,
    );
    assert!(ended.contains("the server ended"), "{ended}");

    let output = fault(
        "```sh\necho one\n```\n\n```text,output\ntwo\n```\n",
        DEADLINE,
    );
    assert!(
        output.starts_with("page:5: the command writes\none\n"),
        "{output}"
    );
}

#[test]
fn a_page_has_a_machine_of_its_own() {
    let text = "```sh\ntouch /mnt/x /srv/x /etc/x /var/lib/x /usr/local/bin/x\n```\n```sh,background\nsftpgo serve\n```\n\
                ```sh\ntest \"$(grep -c : /proc/net/dev)\" = 1\n```\n";
    execute(&Page::of("page", text), DEADLINE).unwrap();
    for directory in ["/mnt", "/srv", "/etc", "/var/lib", "/usr/local/bin"] {
        assert!(!Path::new(directory).join("x").exists(), "{directory}");
    }
}
