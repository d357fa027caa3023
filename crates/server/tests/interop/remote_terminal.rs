//! Commands that ask a running server, on a terminal: a password is asked for, and a table fits.

use std::path::Path;
use std::time::Duration;

use sftpgo_testkit::{Account, TestServer};
use tokio::runtime::Runtime;

use super::support::{Run, python};

/// `admin` with the password `password1`.
const USERS: &str = "admin:$2y$05$bcHSED7aO1cfLto6ZdDBOOKzlwftslVhtpIkRhAtSa4GuLmk5mola\n";

struct Terminal {
    runtime: Runtime,
    server: TestServer,
    password: &'static str,
}

impl Terminal {
    fn start(password: &'static str) -> Self {
        // Of several threads: they serve while this one waits.
        let runtime = Runtime::new().unwrap();
        let builder = TestServer::builder()
            .set("httpd.auth_user_file", "users")
            .file("users", USERS);
        let server = runtime.block_on(builder.start());
        runtime.block_on(server.add(Account::new("alice")));
        Self {
            runtime,
            server,
            password,
        }
    }

    /// The command on a terminal of so many columns, with what is typed when it asks.
    fn run(&self, columns: u16, command: &str) -> Run {
        let directory = self.server.config_dir();
        let (program, url) = (env!("CARGO_BIN_EXE_sftpgo"), self.server.http_address());
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/scripts");
        Run::new(python(), &directory, &directory)
            .arg("-B")
            .arg(scripts.join("on_a_terminal.py"))
            .arg(format!("Password of \"admin\"={}", self.password))
            .args(["--", "sh", "-c"])
            .arg(format!(
                "stty cols {columns} && exec {program} {command} --url http://{url} --auth-user admin"
            ))
    }

    fn never_shows_the_password(&self, said: &str) {
        assert!(!said.contains(self.password), "{said}");
    }

    fn stop(self) {
        self.runtime
            .block_on(self.server.drain(Duration::from_secs(5)));
    }
}

#[test]
fn a_password_is_asked_for_without_echo() {
    let terminal = Terminal::start("password1");
    let finished = terminal.run(120, "status").succeed();
    finished.says("data provider  answers");
    terminal.never_shows_the_password(&finished.said());
    terminal.stop();

    let terminal = Terminal::start("hunter2");
    let finished = terminal.run(120, "status").fail();
    finished.says("refuses this name and password");
    terminal.never_shows_the_password(&finished.said());
    terminal.stop();
}

#[test]
fn a_table_that_does_not_fit_the_terminal_becomes_paragraphs() {
    let terminal = Terminal::start("password1");
    let wide = terminal.run(200, "user list").succeed();
    wide.says("USERNAME  STATE").says("alice     enabled");
    let narrow = terminal.run(40, "user list").succeed();
    narrow.says("USERNAME  alice").says("STATE     enabled");
    terminal.stop();
}
