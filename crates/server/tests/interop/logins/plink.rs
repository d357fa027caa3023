//! `plink` of PuTTY, which WinSCP and FileZilla are built on.

use std::path::{Path, PathBuf};

use super::super::support::{Run, Server};
use super::{Client, Proof, certificate_of, converted, on_a_terminal};

const CLIENT: Client = Client {
    profile: "modern",
    login,
    refused: "FATAL ERROR: ",
};

fn login(server: &Server, proof: &Proof<'_>) -> Run {
    let options = |run: Run| {
        run.args(["-ssh", "-noagent", "-P", &server.port().to_string()])
            .args(["-hostkey", &server.host_key_fingerprint()])
    };
    let batch = || options(server.client("plink").arg("-batch"));
    let run = match proof {
        Proof::Password(password) => batch().args(["-pw", password]),
        Proof::Key(key) => batch().arg("-i").arg(in_its_format(server, key, &[])),
        Proof::Certified(key) => {
            let certificate = certificate_of(key);
            let with = ["--certificate", certificate.to_str().unwrap()];
            batch().arg("-i").arg(in_its_format(server, key, &with))
        }
        Proof::Answers(answers) => {
            let run = options(on_a_terminal(server, answers).arg("plink"));
            // Else it waits for somebody to have read that the login is over.
            run.arg("-no-antispoof")
        }
    };
    run.args(["alice@127.0.0.1", "pwd"])
}

/// The key in the format of PuTTY, which has room for a certificate.
fn in_its_format(server: &Server, key: &Path, more: &[&str]) -> PathBuf {
    let made = key.with_extension("ppk");
    let (from, to) = (key.to_str().unwrap(), made.to_str().unwrap());
    let arguments = [&[from], more, &["-O", "private", "-o", to]].concat();
    converted(server, "puttygen", &arguments, &made)
}

super::table!(CLIENT);
super::certificates!(CLIENT);
