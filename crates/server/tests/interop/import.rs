//! `sftpgo import`, with files that the programs of other servers made: their users log in with their old passwords and keys.
//!
//! `useradd` and `chpasswd` work on a root of their own and need to be root; `ftpasswd` and `pure-pw` are unpacked by
//! `scripts/test`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use sftpgo_testkit::{Account, FileClient as _, Sftp, TestKey, TestServer};
use tempfile::TempDir;

const OLD_PASSWORD: &str = "old Päßword";

/// A program of another server, unpacked and not installed: those servers exclude each other.
fn unpacked(path: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/test-import")
        .join(path);
    assert!(program.exists(), "{}: run scripts/test", program.display());
    program
}

/// Runs a program to its end with `input` as stdin.
fn run(command: &mut Command, input: &str) -> String {
    let mut child = command
        // Not the settings of whoever runs the test.
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Imports into the database of the server.
fn import(server: &TestServer, arguments: &[&str]) -> Value {
    let mut program = Command::new(env!("CARGO_BIN_EXE_sftpgo"));
    program
        .current_dir(server.config_dir())
        .args(["import", "--json"])
        .args(arguments);
    serde_json::from_str(&run(&mut program, "")).unwrap()
}

fn imported<'a>(report: &'a Value, name: &str) -> &'a Value {
    let users = report["users"].as_array().unwrap();
    users.iter().find(|user| user["username"] == name).unwrap()
}

/// What the notes of a user are about.
fn about<'a>(report: &'a Value, name: &str) -> Vec<&'a str> {
    let notes = imported(report, name)["notes"].as_array().unwrap();
    notes
        .iter()
        .map(|note| note["about"].as_str().unwrap())
        .collect()
}

async fn server() -> TestServer {
    TestServer::builder().driver("sqlite").start().await
}

/// Logs in, and stores a file in the home.
async fn works_with_password(server: &TestServer, name: &str) {
    let mut client = server.connect().await;
    assert!(!client.password(name, "another").await, "{name}");
    let mut client = server.connect().await;
    assert!(client.password(name, OLD_PASSWORD).await, "{name}");
    let mut sftp = Sftp::open(client.into()).await.unwrap();
    sftp.put(b"/file", b"content").await.unwrap();
}

async fn is_shut_out(server: &TestServer, name: &str) {
    let mut client = server.connect().await;
    assert!(!client.password(name, OLD_PASSWORD).await, "{name}");
}

/// A root with users that `useradd` made, in every form in which `chpasswd` stores passwords here.
struct LinuxRoot(TempDir);

impl LinuxRoot {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let etc = directory.path().join("etc");
        fs::create_dir_all(&etc).unwrap();
        fs::create_dir(directory.path().join("home")).unwrap();
        for name in ["passwd", "shadow", "group", "gshadow", "login.defs"] {
            fs::write(etc.join(name), "").unwrap();
        }
        Self(directory)
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn add(&self, name: &str, more: &[&str]) {
        let mut program = Command::new("useradd");
        program.args(["-P", self.path(), "-m"]).args(more).arg(name);
        run(&mut program, "");
    }

    fn set_password(&self, name: &str, method: &str) {
        let mut program = Command::new("chpasswd");
        program.args(["-R", self.path(), "-c", method]);
        run(&mut program, &format!("{name}:{OLD_PASSWORD}\n"));
    }

    fn add_key(&self, name: &str, key: &TestKey) {
        let directory = self.0.path().join("home").join(name).join(".ssh");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("authorized_keys"), key.line("old")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn linux_users_log_in_with_their_old_passwords_and_keys() {
    let root = LinuxRoot::new();
    let methods = [
        ("yes", "YESCRYPT"),
        ("sha512", "SHA512"),
        ("sha256", "SHA256"),
        ("md5", "MD5"),
    ];
    for (name, method) in methods {
        root.add(name, &[]);
        root.set_password(name, method);
    }
    root.add("des", &[]);
    root.set_password("des", "DES");
    root.add("keyed", &["-s", "/usr/sbin/nologin"]);
    root.add_key("keyed", &Account::key("keyed"));
    root.add("expired", &["-e", "2020-01-01"]);
    root.set_password("expired", "SHA512");
    root.add("daemon", &["-r"]);

    let server = server().await;
    let homes = server.home("");
    let arguments = [
        "linux",
        "--root",
        root.path(),
        "--home-base",
        homes.to_str().unwrap(),
    ];
    let report = import(&server, &arguments);
    for (name, _) in methods {
        assert_eq!(about(&report, name), [""; 0]);
        works_with_password(&server, name).await;
    }
    assert_eq!(about(&report, "des"), ["password"]);
    is_shut_out(&server, "des").await;
    assert_eq!(about(&report, "keyed"), ["password", "shell"]);
    let mut client = server.connect().await;
    assert!(client.key("keyed", &Account::key("keyed")).await);
    assert_eq!(about(&report, "expired"), ["expired"]);
    is_shut_out(&server, "expired").await;
    assert_eq!(report["notes"][0]["about"], "system users");
    assert_eq!(report["users"].as_array().unwrap().len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_proftpd_log_in_with_their_old_passwords() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let ftpasswd = |arguments: &[&str], input: &str| {
        let mut program = Command::new("perl");
        program.arg(unpacked("usr/sbin/ftpasswd")).args(arguments);
        run(program.current_dir(directory.path()), input);
    };
    let (file, home) = (at("ftpd.passwd"), at("."));
    let methods = ["--sha256", "--sha512", "--md5", "--des"];
    for method in methods {
        let name = format!("--name={}", method.trim_start_matches('-'));
        let arguments = [
            "--passwd",
            method,
            &name,
            "--uid=2001",
            "--gid=2001",
            "--shell=/bin/sh",
            "--stdin",
            "--home",
            &home,
            "--file",
            &file,
        ];
        ftpasswd(&arguments, &format!("{OLD_PASSWORD}\n"));
    }
    ftpasswd(&["--passwd", "--lock", "--name=md5", "--file", &file], "");
    let groups = at("ftpd.group");
    ftpasswd(
        &[
            "--group",
            "--name=staff",
            "--gid=2500",
            "--member=sha256",
            "--file",
            &groups,
        ],
        "",
    );

    // In the form that mod_sftp reads.
    fs::write(
        directory.path().join("key"),
        Account::key("sha256").line(""),
    )
    .unwrap();
    let mut convert = Command::new("ssh-keygen");
    convert
        .args(["-e", "-m", "RFC4716", "-f"])
        .arg(directory.path().join("key"));
    fs::write(directory.path().join("sha256.keys"), run(&mut convert, "")).unwrap();

    let server = server().await;
    let homes = server.home("");
    let pattern = at("%u.keys");
    let arguments = [
        "proftpd",
        "--authorized-keys",
        &pattern,
        &file,
        &groups,
        "--home-base",
        homes.to_str().unwrap(),
    ];
    let report = import(&server, &arguments);
    assert_eq!(about(&report, "sha256"), ["groups"]);
    works_with_password(&server, "sha256").await;
    works_with_password(&server, "sha512").await;
    let mut client = server.connect().await;
    assert!(client.key("sha256", &Account::key("sha256")).await);
    assert_eq!(about(&report, "md5"), ["locked"]);
    assert_eq!(about(&report, "des"), ["password"]);
    for name in ["md5", "des"] {
        is_shut_out(&server, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_pure_ftpd_log_in_with_their_old_passwords_and_keep_their_limits() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pureftpd.passwd");
    fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();
    let mut program = Command::new(unpacked("usr/bin/pure-pw"));
    program.args([
        "useradd", "joe", "-f", file, "-u", "1001", "-g", "1001", "-d", "/srv/joe",
    ]);
    program.args([
        "-t",
        "100",
        "-T",
        "200",
        "-n",
        "50",
        "-N",
        "10",
        "-y",
        "3",
        "-r",
        "127.0.0.0/8",
        "-z",
        "0000-2359",
    ]);
    run(&mut program, &format!("{OLD_PASSWORD}\n{OLD_PASSWORD}\n"));

    let server = server().await;
    let homes = server.home("");
    let report = import(
        &server,
        &["pure-ftpd", file, "--home-base", homes.to_str().unwrap()],
    );
    assert_eq!(about(&report, "joe"), ["times"]);
    works_with_password(&server, "joe").await;
    let joe = server.users().by_name("joe").await.unwrap();
    assert_eq!(
        (joe.quota_files, joe.quota_size, joe.max_sessions),
        (50, 10 << 20, 3)
    );
    assert_eq!((joe.download_bandwidth, joe.upload_bandwidth), (103, 205));
    assert_eq!(joe.filters.allowed_ip, ["127.0.0.0/8"]);
}
