//! Logins by the clients of the field: one table of cases, which every client fills. Each logs in and runs `pwd`.

mod asyncssh;
mod dbclient;
mod openssh;
mod paramiko;
mod plink;

use std::path::{Path, PathBuf};

use serde_json::json;

use super::support::{PASSWORD, Run, Server};

/// By what somebody logs in.
enum Proof<'a> {
    Password(&'a str),
    /// A private key in the format of OpenSSH.
    Key(&'a Path),
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
        Server::with(json!({ "algorithms_profile": self.profile }))
    }

    #[track_caller]
    fn logs_in(&self, server: &Server, proof: &Proof<'_>) {
        let said = (self.login)(server, proof).succeed();
        assert_eq!(said.text().trim_end(), "/", "{said}");
    }

    #[track_caller]
    fn is_refused(&self, server: &Server, proof: &Proof<'_>) {
        let said = (self.login)(server, proof).fail();
        assert_eq!(said.text(), "", "{said}");
        said.says(self.refused);
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
    };
}

use table;

/// Runs a program that turns a key into another format; the new file.
fn converted(server: &Server, program: &str, arguments: &[&str], made: &Path) -> PathBuf {
    server.client(program).args(arguments).succeed();
    made.to_owned()
}
