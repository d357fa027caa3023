//! `ssh` of OpenSSH.

use std::path::PathBuf;

use serde_json::json;

use super::super::support::{PASSWORD, Run, Server};
use super::{Client, Proof};

const CLIENT: Client = Client {
    profile: "modern",
    login,
    refused: "Permission denied",
};

fn login(server: &Server, proof: &Proof<'_>) -> Run {
    with(server, proof, &[])
}

/// With these options of `ssh` too.
fn with(server: &Server, proof: &Proof<'_>, options: &[&str]) -> Run {
    let options = options.iter().flat_map(|option| ["-o", option]);
    let run = server.openssh("ssh").args(options);
    let run = match proof {
        Proof::Password(password) => run
            .args(["-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=1"])
            .args(["-o", "PreferredAuthentications=password"])
            .env("SSH_ASKPASS", server.askpass(password))
            .env("SSH_ASKPASS_REQUIRE", "force"),
        // It finds certificates by itself.
        Proof::Key(key) | Proof::Certified(key) => run
            .args(["-o", "PreferredAuthentications=publickey", "-i"])
            .arg(key),
        Proof::Answers([pin, code]) => run
            .args(["-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=1"])
            .args(["-o", "PreferredAuthentications=keyboard-interactive"])
            .env(
                "SSH_ASKPASS",
                server.askpass_for(&[("Pin", pin), ("Code", code)]),
            )
            .env("SSH_ASKPASS_REQUIRE", "force"),
    };
    // A host for which the settings name no key.
    run.args(["anyone", "pwd"])
}

super::table!(CLIENT);
super::certificates!(CLIENT);

/// Somebody who mistypes is asked again, on the same connection.
#[test]
fn a_password_may_be_mistyped() {
    let server = Server::start();
    let askpass = server.askpass_once("wrong", PASSWORD);
    let said = server
        .openssh("ssh")
        .args(["-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=2"])
        .args(["-o", "PreferredAuthentications=password"])
        .env("SSH_ASKPASS", askpass)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .args(["server", "pwd"])
        .succeed();
    assert_eq!(said.text(), "/\n", "{said}");
    said.says("Permission denied, please try again.");
}

/// SHA-1 wherever there is a choice: the exchange, the MAC, the signature of the host key, that of the user's key.
const EXCHANGE: &str = "KexAlgorithms=diffie-hellman-group14-sha1";
const MAC: [&str; 2] = ["Ciphers=aes128-ctr", "MACs=hmac-sha1"];
const HOST_KEY: &str = "HostKeyAlgorithms=ssh-rsa";
const USER_KEY: &str = "PubkeyAcceptedAlgorithms=ssh-rsa";

/// A server with an RSA host key, and the RSA key of its user.
fn with_rsa_keys(profile: &str) -> (Server, PathBuf) {
    let server = Server::with_rsa_host_key("3072", json!({ "algorithms_profile": profile }));
    let key = server.use_rsa_key(2048);
    (server, key)
}

#[test]
fn a_client_that_knows_sha1_only_logs_in_with_the_profile_for_it() {
    let (server, key) = with_rsa_keys("legacy");
    let options = [
        EXCHANGE,
        MAC[0],
        MAC[1],
        HOST_KEY,
        USER_KEY,
        "LogLevel=DEBUG1",
    ];
    let said = with(&server, &Proof::Key(&key), &options).succeed();
    assert_eq!(said.text(), "/\n", "{said}");
    said.says("kex: algorithm: diffie-hellman-group14-sha1")
        .says("kex: host key algorithm: ssh-rsa")
        .says("MAC: hmac-sha1");
    with(&server, &Proof::Password(PASSWORD), &options).succeed();
}

/// Each of the four alone is enough to be refused elsewhere.
#[test]
fn a_client_that_knows_sha1_only_is_refused_without_the_profile_for_it() {
    for profile in ["modern", "compat"] {
        let (server, key) = with_rsa_keys(profile);
        let key = Proof::Key(&key);
        with(&server, &key, &[]).succeed();
        for option in [EXCHANGE, HOST_KEY] {
            let said = with(&server, &key, &[option]).fail();
            said.says("Unable to negotiate").says("Their offer");
        }
        let said = with(&server, &key, &MAC).fail();
        said.says("no matching MAC found");
        let said = with(&server, &key, &[USER_KEY]).fail();
        said.says("Permission denied");
    }
}

/// Of the sizes that people have; the first is the smallest that aws-lc takes.
#[test]
fn an_rsa_host_key_signs_with_sha2() {
    for bits in ["2048", "3072", "4096"] {
        let server = Server::with_rsa_host_key(bits, json!({}));
        for algorithm in ["rsa-sha2-512", "rsa-sha2-256"] {
            let option = format!("HostKeyAlgorithms={algorithm}");
            let options = [option.as_str(), "LogLevel=DEBUG1"];
            let said = with(&server, &Proof::Key(&server.key()), &options).succeed();
            said.says(&format!("kex: host key algorithm: {algorithm}"));
        }
    }
}

/// What it knows that is older than ten years, and newer.
#[test]
fn a_client_of_ten_years_ago_logs_in_with_the_profile_for_it() {
    let server = Server::start();
    let options = [
        "KexAlgorithms=ecdh-sha2-nistp256",
        "Ciphers=aes128-ctr",
        "MACs=hmac-sha2-256",
    ];
    with(&server, &Proof::Key(&server.key()), &options).succeed();
    let server = Server::with(json!({ "algorithms_profile": "modern" }));
    let said = with(&server, &Proof::Key(&server.key()), &options[..1]).fail();
    said.says("no matching key exchange method found");
}
