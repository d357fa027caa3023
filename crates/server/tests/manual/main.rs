//! The manual is true: every command that a page shows is run, every file that it shows is used, every link leads
//! somewhere, and every message that it explains is one of the program.
//!
//! Each page that shows commands is a test of its own. Needs `unshare`, `script`, `ip` and the clients that pages use,
//! which `scripts/test` installs.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

mod figures;
mod links;
mod machine;
mod messages;
mod output;
mod page;
mod settings;
mod terminal;

use std::io::Write as _;
use std::process::{Command, Stdio};

use page::{Kind, pages};

/// Blocks that no test runs, with the reason that their page gives. A new one needs a row here.
const UNRUN: &[(&str, &str, &str)] = &[
    ("README.md", "cargo build --release", "builds-the-program"),
    ("README.md", "scripts/test", "these-tests-themselves"),
    (
        "docs/installation.md",
        "cargo install cargo-deb --version 3.8.0 --locked --root target/tools",
        "builds-the-package",
    ),
    (
        "docs/installation.md",
        "sudo apt install ./sftpgo_0.1.0-1_amd64.deb",
        "installs-packages",
    ),
    (
        "docs/installation.md",
        "systemctl status sftpgo",
        "needs-systemd",
    ),
    (
        "docs/installation.md",
        "sudo -u sftpgo sftpgo user add alice",
        "needs-the-package",
    ),
    (
        "docs/installation.md",
        "systemctl daemon-reload",
        "needs-systemd",
    ),
    (
        "docs/installation.md",
        "systemctl enable --now sftpgo.socket",
        "needs-systemd",
    ),
    (
        "docs/installation.md",
        "docker build -f packaging/docker/Dockerfile.debian -t sftpgo .",
        "needs-docker",
    ),
    (
        "docs/installation.md",
        "sudo cp packaging/launchd/com.github.drakkan.sftpgo.plist /Library/LaunchDaemons/",
        "needs-macos",
    ),
    (
        "docs/installation.md",
        "cd /usr/share/doc/sftpgo/examples/fail2ban",
        "needs-systemd",
    ),
    (
        "docs/installation.md",
        "sudo apt install ldap-utils",
        "installs-packages",
    ),
    (
        "docs/portable.md",
        "avahi-browse --resolve --terminate _sftp-ssh._tcp",
        "needs-another-machine",
    ),
    (
        "docs/quick-start.md",
        "cargo build --release",
        "builds-the-program",
    ),
    (
        "docs/scaling-out.md",
        "echo 'set server sftp/node1 state drain' | socat - /run/haproxy/admin.sock",
        "needs-haproxy-of-three-machines",
    ),
    (
        "docs/web-admin.md",
        "ssh -L 8080:127.0.0.1:8080 the-server",
        "needs-another-machine",
    ),
    (
        "docs/web-admin.md",
        "SFTPGO_SCREENSHOTS=$PWD/docs/screenshots cargo test -p sftpgo-server --test interop browser",
        "a-test-of-its-own",
    ),
];

/// A test for each page that shows commands.
macro_rules! run_pages {
    ($($test:ident: $path:literal,)*) => {
        const RUN: &[&str] = &[$($path),*];

        $(
            #[test]
            fn $test() {
                machine::run($path);
            }
        )*
    };
}

run_pages! {
    the_readme_works: "README.md",
    the_page_on_accounts_works: "docs/accounts.md",
    the_page_on_actions_works: "docs/actions.md",
    the_page_on_backups_works: "docs/backups.md",
    the_page_on_certificates_works: "docs/certificates.md",
    the_page_on_connections_works: "docs/connections.md",
    the_page_on_security_works: "docs/hardening.md",
    the_page_on_databases_works: "docs/databases.md",
    the_page_on_logins_works: "docs/logins.md",
    the_page_on_logs_works: "docs/logs.md",
    the_page_on_metrics_works: "docs/metrics.md",
    the_page_on_object_stores_works: "docs/object-stores.md",
    the_quick_start_works: "docs/quick-start.md",
    the_page_on_sharing_works: "docs/portable.md",
    the_page_on_quotas_works: "docs/quotas.md",
    the_page_on_remote_administration_works: "docs/remote-administration.md",
    the_page_on_migration_works: "docs/migration.md",
    the_page_on_installation_works: "docs/installation.md",
    the_page_on_rest_api_works: "docs/rest-api.md",
    the_page_on_ssh_commands_works: "docs/ssh-commands.md",
    the_page_on_troubleshooting_works: "docs/troubleshooting.md",
    the_page_on_tuning_works: "docs/tuning.md",
    the_page_on_upgrading_works: "docs/upgrading.md",
    the_page_on_users_works: "docs/users.md",
    the_page_on_virtual_folders_works: "docs/virtual-folders.md",
}

#[test]
fn every_page_that_shows_commands_is_run() {
    let all = pages();
    let shown: Vec<&str> = all
        .iter()
        .filter(|page| page.shows_commands())
        .map(|page| &*page.path)
        .collect();
    let mut run = RUN.to_vec();
    run.sort_unstable();
    assert_eq!(run, shown, "left: `run_pages!`, right: pages with commands");
}

#[test]
fn what_is_not_run_is_listed_and_can_be_parsed() {
    let mut unrun = Vec::new();
    for page in pages() {
        for block in &page.blocks {
            let Kind::Unrun(reason) = &block.kind else {
                continue;
            };
            let first = block.text.lines().next().unwrap_or_default();
            unrun.push((page.path.clone(), first.to_owned(), reason.clone()));
            let mut shell = Command::new("bash")
                .arg("-n")
                .stdin(Stdio::piped())
                .spawn()
                .unwrap();
            let mut input = shell.stdin.take().unwrap();
            input.write_all(block.text.as_bytes()).unwrap();
            drop(input);
            let parsed = shell.wait().unwrap().success();
            assert!(parsed, "{}:{} is no shell", page.path, block.line);
        }
    }
    let listed: Vec<(String, String, String)> = UNRUN
        .iter()
        .map(|(page, first, reason)| {
            (
                (*page).to_owned(),
                (*first).to_owned(),
                (*reason).to_owned(),
            )
        })
        .collect();
    assert_eq!(unrun, listed, "left: in the manual, right: `UNRUN`");
}
