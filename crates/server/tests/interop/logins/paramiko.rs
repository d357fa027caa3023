//! `paramiko`. How it logs in is in `scripts/paramiko_login.py`.

use super::super::support::{PASSWORD, Run, Server, python_client};
use super::{Client, Proof};

const CLIENT: Client = Client {
    profile: "modern",
    login,
    refused: "Authentication failed",
};

fn login(server: &Server, proof: &Proof<'_>) -> Run {
    let case = |name| python_client(server, "paramiko_login.py", name);
    match proof {
        Proof::Password(password) => case("password").env("TARGET_PROOF", password),
        Proof::Key(key) | Proof::Certified(key) => case("key").env("TARGET_PROOF", key),
        Proof::Answers(answers) => case("dialogue").env("TARGET_PROOF", answers.join(" ")),
    }
}

super::table!(CLIENT);
super::certificates!(CLIENT);

/// It asks for the service before each attempt, and waits for the answer.
#[test]
fn a_wrong_key_and_the_right_password_are_tried_on_one_connection() {
    let server = Server::start();
    let run = python_client(&server, "paramiko_login.py", "key_then_password");
    let said = run.env("TARGET_PROOF", PASSWORD).succeed();
    assert_eq!(said.text(), "/\n", "{said}");
}
