//! Certificates that `ssh-keygen` signs and `sftp` and `ssh` of OpenSSH log in with.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use super::support::{Run, Server, keys};

/// An authority, with the server that trusts it. The client is the one whose key no account stores.
struct World {
    directory: TempDir,
    server: Server,
}

impl World {
    /// With an authority of this kind, and this list of what was revoked.
    fn new(kind: &[&str], revoked: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        keys::make_of(kind, &at.join("ca"));
        let list = at.join("list");
        fs::write(&list, revoked).unwrap();
        let server = Server::with(settings(at));
        Self { directory, server }
    }

    fn authority(&self) -> PathBuf {
        self.directory.path().join("ca")
    }

    /// Certifies the stranger's key.
    fn certify(&self, options: &[&str]) {
        keys::certify(&self.authority(), &self.server.wrong_key(), options);
    }

    fn client(&self, program: &str) -> Run {
        self.server.openssh(program)
    }

    fn sftp(&self) -> Run {
        let run = self.client("sftp").args(["-b", "-", "stranger"]);
        run.input("pwd\n")
    }
}

fn settings(at: &Path) -> serde_json::Value {
    json!({
        "trusted_user_ca_keys": [at.join("ca.pub")],
        "revoked_user_keys": at.join("list"),
    })
}

/// The user is the one in the configuration of the clients.
const ALICE: [&str; 2] = ["-n", "alice"];

#[test]
fn authorities_of_every_kind_certify_users() {
    for kind in [
        &["ed25519"][..],
        &["ecdsa", "-b", "256"],
        &["ecdsa", "-b", "384"],
        &["ecdsa", "-b", "521"],
        &["rsa", "-b", "2048"],
    ] {
        let world = World::new(kind, b"");
        world.sftp().fail().says("Permission denied");
        world.certify(&ALICE);
        world.sftp().succeed();
    }
}

#[test]
fn keys_of_every_kind_are_certified() {
    let world = World::new(&["ed25519"], b"");
    for (kind, algorithms) in [
        (&["ed25519"][..], &["ssh-ed25519-cert-v01@openssh.com"][..]),
        (
            &["ecdsa", "-b", "256"],
            &["ecdsa-sha2-nistp256-cert-v01@openssh.com"],
        ),
        (
            &["ecdsa", "-b", "521"],
            &["ecdsa-sha2-nistp521-cert-v01@openssh.com"],
        ),
        (
            &["rsa", "-b", "3072"],
            &[
                "rsa-sha2-512-cert-v01@openssh.com",
                "rsa-sha2-256-cert-v01@openssh.com",
            ],
        ),
    ] {
        let key = world.server.wrong_key();
        for file in [key.clone(), key.with_extension("pub")] {
            fs::remove_file(file).unwrap();
        }
        keys::make_of(kind, &key);
        world.certify(&ALICE);
        for algorithm in algorithms {
            let accepted = format!("PubkeyAcceptedKeyTypes={algorithm}");
            let run = world.client("sftp").args(["-o", &accepted]);
            let run = run.args(["-b", "-", "stranger"]).input("pwd\n");
            run.succeed();
        }
    }
}

#[test]
fn what_the_authority_did_not_allow_is_refused() {
    let world = World::new(&["ed25519"], b"");
    for options in [
        &["-n", "bob"][..],
        &[],
        &["-h", "-n", "alice"],
        &["-n", "alice", "-V", "20200101:20210101"],
        &["-n", "alice", "-O", "source-address=192.0.2.0/24"],
        &["-n", "alice", "-O", "force-command=/bin/sh"],
        &["-n", "alice", "-O", "critical:mystery@example.com=x"],
    ] {
        world.certify(options);
        world.sftp().fail().says("Permission denied");
    }
    world.certify(&[
        "-n",
        "bob,alice",
        "-V",
        "-1d:+1d",
        "-O",
        "source-address=127.0.0.0/8",
        "-O",
        "extension:mystery@example.com=x",
    ]);
    world.sftp().succeed();
}

#[test]
fn a_forced_command_is_all_that_runs() {
    let world = World::new(&["ed25519"], b"");
    world.certify(&["-n", "alice", "-O", "force-command=internal-sftp"]);
    world.sftp().succeed();
    world.client("ssh").args(["stranger", "pwd"]).fail();
    world.certify(&["-n", "alice", "-O", "force-command=pwd"]);
    let run = world.client("ssh").args(["stranger", "md5sum", "x"]);
    run.succeed().says("/");
    world.sftp().fail();
}

#[test]
fn what_ssh_keygen_revoked_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    keys::make_of(&["ed25519"], &at.join("ca"));
    let words = "serial: 7\nserial: 100-200\nserial: 1000\nserial: 1002\nid: lost laptop\n";
    keys::revoke(&at.join("ca"), &at.join("list"), words);
    let server = Server::with(settings(at));
    let world = World { directory, server };
    for (options, works) in [
        (&["-z", "1"][..], true),
        (&["-z", "7"], false),
        (&["-z", "150"], false),
        (&["-z", "1001"], true),
        (&["-z", "1002"], false),
        (&["-z", "1", "-I", "lost laptop"], false),
    ] {
        world.certify(&[&ALICE[..], options].concat());
        let run = world.sftp();
        if works {
            run.succeed();
        } else {
            run.fail().says("Permission denied");
        }
    }
}
