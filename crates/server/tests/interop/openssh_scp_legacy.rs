//! `scp -O` of OpenSSH: the protocol that `scp` spoke before version 9.

use std::fs;

use serde_json::json;

use super::support::files::{SIZES, assert_same};
use super::support::{Run, Server};

fn start() -> Server {
    Server::with(json!({ "enabled_ssh_commands": ["scp"] }))
}

fn scp<'a>(server: &Server, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    server.openssh("scp").args(["-O", "-q"]).args(arguments)
}

#[test]
fn files_of_every_size_come_back_unchanged() {
    let server = start();
    let names: Vec<String> = SIZES.iter().map(|size| format!("up-{size}")).collect();
    for (name, size) in names.iter().zip(SIZES) {
        server.local_file(name, size);
    }
    scp(&server, names.iter().map(String::as_str).chain(["server:"])).succeed();
    fs::create_dir(server.work().join("back")).unwrap();
    scp(&server, ["server:up-*", "back"]).succeed();
    for name in &names {
        assert_same(&server.work().join(name), &server.home().join(name));
        assert_same(
            &server.work().join(name),
            &server.work().join("back").join(name),
        );
    }
}
