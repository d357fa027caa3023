//! Logins by the clients of the field: one table of cases, which every client fills. Each logs in and runs `pwd`.
//!
//! Dropbear knows no certificates; everything else is a row of all of them.

mod asyncssh;
mod dbclient;
mod openssh;
mod paramiko;
mod plink;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{PASSWORD, Run, Server, files, keys, python};

/// By what somebody logs in.
enum Proof<'a> {
    Password(&'a str),
    /// A private key in the format of OpenSSH.
    Key(&'a Path),
    /// The same, with the certificate that lies beside it.
    Certified(&'a Path),
    /// Answers to the two questions of [`DIALOGUE`].
    Answers([&'a str; 2]),
}

/// What it says to the right answers.
const PIN: &str = "4711";
const CODE: &str = "123456";

/// A program for keyboard-interactive: two questions, one after the other.
const DIALOGUE: &str = r#"#!/bin/sh
echo '{"questions":["Pin: "],"echos":[false]}'
read -r pin
echo '{"instruction":"one more","questions":["Code: "],"echos":[true]}'
read -r code
if [ "$pin" = 4711 ] && [ "$code" = 123456 ]; then
  echo '{"auth_result":1}'
else
  echo '{"auth_result":-1}'
fi
"#;

/// A certificate file beside a private key, where OpenSSH looks for it.
fn certificate_of(key: &Path) -> PathBuf {
    let name = key.file_name().unwrap().to_str().unwrap();
    key.with_file_name(format!("{name}-cert.pub"))
}

/// A server with one more file.
struct World {
    server: Server,
    /// Read again at each login.
    _directory: TempDir,
}

/// A client of the table.
struct Client {
    /// The strictest profile in which it finds something that it knows.
    profile: &'static str,
    /// Logs in as the account of the tests.
    login: fn(&Server, &Proof<'_>) -> Run,
    /// What it says of a refusal.
    refused: &'static str,
}

impl Client {
    fn server(&self) -> Server {
        self.server_with(json!({}))
    }

    fn server_with(&self, mut settings: Value) -> Server {
        settings["algorithms_profile"] = self.profile.into();
        Server::with(settings)
    }

    /// A server that asks the questions of [`DIALOGUE`].
    fn asking(&self) -> World {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("dialogue");
        std::fs::write(&program, DIALOGUE).unwrap();
        files::set_mode(&program, 0o700);
        World {
            server: self.server_with(json!({ "keyboard_interactive_auth_program": program })),
            _directory: directory,
        }
    }

    #[track_caller]
    fn logs_in(&self, server: &Server, proof: &Proof<'_>) {
        let said = (self.login)(server, proof).succeed();
        assert_eq!(said.text().trim_end(), "/", "{said}");
    }

    /// By what it says: not every client ends with an error.
    #[track_caller]
    fn is_refused(&self, server: &Server, proof: &Proof<'_>) {
        let said = (self.login)(server, proof).finish();
        assert_eq!(said.text(), "", "{said}");
        let told = said.said();
        assert!(
            told.contains(self.refused) || told.contains(ASKED_AGAIN),
            "{said}"
        );
    }

    fn logs_in_with_keys(&self, kinds: &[&[&str]]) {
        let server = self.server();
        for key in server.keys_of(kinds) {
            self.logs_in(&server, &Proof::Key(&key));
        }
    }

    fn logs_in_with_the_right_password(&self) {
        self.logs_in(&self.server(), &Proof::Password(PASSWORD));
    }

    fn is_refused_with_a_wrong_password(&self) {
        let server = self.server();
        self.is_refused(&server, &Proof::Password("wrong"));
        self.logs_in(&server, &Proof::Password(PASSWORD));
    }

    /// Only the authority is known to the server.
    fn logs_in_with_certificates(&self, kinds: &[&[&str]]) {
        let directory = tempfile::tempdir().unwrap();
        let authority = directory.path().join("ca");
        keys::make(&authority);
        let trusted = authority.with_extension("pub");
        let server = self.server_with(json!({ "trusted_user_ca_keys": [trusted] }));
        for (number, kind) in kinds.iter().enumerate() {
            let key = server
                .client_home()
                .join(format!(".ssh/certified-{number}"));
            keys::make_of(kind, &key);
            keys::certify(&authority, &key, &["-n", "somebody-else"]);
            self.is_refused(&server, &Proof::Certified(&key));
            keys::certify(&authority, &key, &["-n", "alice"]);
            self.logs_in(&server, &Proof::Certified(&key));
        }
    }

    fn logs_in_with_the_right_answers(&self) {
        let world = self.asking();
        self.logs_in(&world.server, &Proof::Answers([PIN, CODE]));
    }

    fn is_refused_with_wrong_answers(&self) {
        let world = self.asking();
        for answers in [["wrong", CODE], [PIN, "wrong"]] {
            self.is_refused(&world.server, &Proof::Answers(answers));
        }
    }

    fn is_refused_with_a_wrong_key(&self) {
        let server = self.server();
        self.is_refused(&server, &Proof::Key(&server.wrong_key()));
        self.logs_in(&server, &Proof::Key(&server.key()));
    }
}

/// The table: a row is a test of every client.
macro_rules! table {
    ($client:expr) => {
        #[test]
        fn the_right_password_logs_in() {
            $client.logs_in_with_the_right_password();
        }

        #[test]
        fn a_wrong_password_is_refused() {
            $client.is_refused_with_a_wrong_password();
        }

        #[test]
        fn an_ed25519_key_logs_in() {
            $client.logs_in_with_keys(&[&["ed25519"]]);
        }

        #[test]
        fn ecdsa_keys_of_every_curve_log_in() {
            $client.logs_in_with_keys(&[
                &["ecdsa", "-b", "256"],
                &["ecdsa", "-b", "384"],
                &["ecdsa", "-b", "521"],
            ]);
        }

        #[test]
        fn rsa_keys_log_in() {
            $client.logs_in_with_keys(&[&["rsa", "-b", "2048"], &["rsa", "-b", "4096"]]);
        }

        #[test]
        fn a_key_that_the_account_does_not_have_is_refused() {
            $client.is_refused_with_a_wrong_key();
        }

        #[test]
        fn a_dialogue_of_two_rounds_logs_in() {
            $client.logs_in_with_the_right_answers();
        }

        #[test]
        fn a_wrong_answer_in_either_round_is_refused() {
            $client.is_refused_with_wrong_answers();
        }
    };
}

/// The row of those who know certificates.
macro_rules! certificates {
    ($client:expr) => {
        #[test]
        fn certificates_of_every_kind_of_key_log_in() {
            $client.logs_in_with_certificates(&[
                &["ed25519"],
                &["ecdsa", "-b", "256"],
                &["rsa", "-b", "2048"],
            ]);
        }
    };
}

use {certificates, table};

/// What [`on_a_terminal`] says of a client that asks again.
const ASKED_AGAIN: &str = "asked again";

/// What runs a client that reads answers from a terminal only, and gives these.
fn on_a_terminal(server: &Server, answers: &[&str; 2]) -> Run {
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/scripts/on_a_terminal.py");
    let run = server.client(python()).arg("-B").arg(script);
    run.args([
        format!("Pin: ={}", answers[0]),
        format!("Code: ={}", answers[1]),
    ])
    .arg("--")
}

/// Runs a program that turns a key into another format; the new file.
fn converted(server: &Server, program: &str, arguments: &[&str], made: &Path) -> PathBuf {
    server.client(program).args(arguments).succeed();
    made.to_owned()
}
