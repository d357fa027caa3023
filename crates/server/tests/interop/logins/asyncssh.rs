//! `asyncssh`. How it logs in is in `scripts/asyncssh_login.py`.

use super::super::support::{Run, Server, python_client};
use super::{Client, Proof};

const CLIENT: Client = Client {
    profile: "modern",
    login,
    refused: "Permission denied",
};

fn login(server: &Server, proof: &Proof<'_>) -> Run {
    let case = |name| python_client(server, "asyncssh_login.py", name);
    match proof {
        Proof::Password(password) => case("password").env("TARGET_PROOF", password),
        Proof::Key(key) | Proof::Certified(key) => case("key").env("TARGET_PROOF", key),
        Proof::Answers(answers) => case("dialogue").env("TARGET_PROOF", answers.join(" ")),
    }
}

super::table!(CLIENT);
super::certificates!(CLIENT);
