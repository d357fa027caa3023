//! `plink` of PuTTY, which WinSCP and FileZilla are built on.

use super::super::support::{Run, Server};
use super::{Client, Proof, converted};

const CLIENT: Client = Client {
    profile: "modern",
    login,
    refused: "FATAL ERROR: ",
};

fn login(server: &Server, proof: &Proof<'_>) -> Run {
    let run = server
        .client("plink")
        .args([
            "-ssh",
            "-batch",
            "-noagent",
            "-P",
            &server.port().to_string(),
        ])
        .args(["-hostkey", &server.host_key_fingerprint()]);
    let run = match proof {
        Proof::Password(password) => run.args(["-pw", password]),
        Proof::Key(key) => {
            let made = key.with_extension("ppk");
            let (from, to) = (key.to_str().unwrap(), made.to_str().unwrap());
            let arguments = [from, "-O", "private", "-o", to];
            run.arg("-i")
                .arg(converted(server, "puttygen", &arguments, &made))
        }
    };
    run.args(["alice@127.0.0.1", "pwd"])
}

super::table!(CLIENT);
