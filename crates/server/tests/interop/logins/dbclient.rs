//! `dbclient`, the client of Dropbear, which routers and other small machines have.

use super::super::support::{Run, Server};
use super::{Client, Proof, converted};

const CLIENT: Client = Client {
    // Key exchange that holds against quantum computers came with 2025.87.
    profile: "compat",
    login,
    refused: "No auth methods could be used",
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
        // Without a terminal it reads stdin.
        Proof::Answers([pin, code]) => {
            let run = server.client("setsid").args(["--wait", "dbclient"]);
            options(run).input(format!("{pin}\n{code}\n"))
        }
    };
    run.args(["alice@127.0.0.1", "pwd"])
}

super::table!(CLIENT);
