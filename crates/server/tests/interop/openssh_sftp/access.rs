//! Who may do what, and how a refusal looks to the client.

use std::fs;

use super::sftp_with;
use crate::support::Server;

#[test]
fn what_the_permissions_do_not_allow_is_refused_by_name() {
    let server = Server::start();
    let home = server.reader_home();
    fs::write(home.join("file"), "content").unwrap();
    fs::create_dir(home.join("directory")).unwrap();
    server.local_file("up", 10);
    let reader = ["-o", "User=reader"];
    sftp_with(&server, &reader, "ls\nget file\n").succeed();
    for command in [
        "put up new",
        "put up file",
        "rename file moved",
        "rm file",
        "mkdir made",
        "rmdir directory",
        "ln -s file link",
        "chmod 600 file",
    ] {
        let said = sftp_with(&server, &reader, &format!("{command}\n")).fail();
        assert_eq!(said.code(), Some(1), "{command}");
        assert!(
            said.said().to_lowercase().contains("permission denied"),
            "{command}: {said}"
        );
    }
    assert_eq!(fs::read(home.join("file")).unwrap(), b"content");
    assert_eq!(fs::read_dir(&home).unwrap().count(), 2);
}

#[test]
fn the_right_password_logs_in_and_a_wrong_one_does_not() {
    let server = Server::start();
    let login = |password: &str| {
        let options = [
            "-o",
            "PreferredAuthentications=password",
            "-o",
            "PubkeyAuthentication=no",
        ];
        let run = server.openssh("sftp").args(options);
        // -b would forbid the question for the password.
        run.args([
            "-o",
            "BatchMode=no",
            "-o",
            "NumberOfPasswordPrompts=1",
            "server",
        ])
        .env("SSH_ASKPASS", server.askpass(password))
        .env("SSH_ASKPASS_REQUIRE", "force")
        .input("mkdir made\n")
    };
    login("wrong").fail().says("Permission denied");
    login("").fail().says("Permission denied");
    assert!(!server.home().join("made").exists());
    login(crate::support::PASSWORD).succeed();
    assert!(server.home().join("made").is_dir());
}

#[test]
fn an_unknown_key_or_user_does_not_log_in() {
    let server = Server::start();
    let stranger = server
        .openssh("sftp")
        .args(["-b", "-", "stranger"])
        .input("pwd\n");
    stranger.fail().says("Permission denied (");
    let said = sftp_with(&server, &["-o", "User=nobody"], "ls\n").fail();
    said.says("Permission denied (");
}
