//! `dbclient`, the client of Dropbear, which routers and other small machines have.

use super::super::support::{Run, Server};
use super::{Client, Proof, converted, on_a_terminal};

const CLIENT: Client = Client {
    // Key exchange that holds against quantum computers came with 2025.87.
    profile: "compat",
    login,
    // And its exit status is 0.
    refused: "Disconnect received",
};

fn login(server: &Server, proof: &Proof<'_>) -> Run {
    // Whatever the host key is: others look at that.
    let options = |run: Run| run.args(["-y", "-y", "-p", &server.port().to_string()]);
    let run = match proof {
        Proof::Password(password) => {
            options(server.client("dbclient")).env("DROPBEAR_PASSWORD", password)
        }
        Proof::Key(key) => {
            let made = key.with_extension("dropbear");
            let (from, to) = (key.to_str().unwrap(), made.to_str().unwrap());
            let arguments = ["openssh", "dropbear", from, to];
            options(server.client("dbclient")).arg("-i").arg(converted(
                server,
                "dropbearconvert",
                &arguments,
                &made,
            ))
        }
        Proof::Certified(key) => unreachable!("it knows no certificates: {}", key.display()),
        Proof::Answers(answers) => options(on_a_terminal(server, answers).arg("dbclient")),
    };
    run.args(["alice@127.0.0.1", "pwd"])
}

super::table!(CLIENT);
