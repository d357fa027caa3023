//! Other clients of the SCP protocol: PuTTY's `pscp`, and `curl`, which leaves without a word at the end of a file.

use std::fs;

use serde_json::json;

use super::support::files::{SIZES, assert_same, assert_same_tree, mode, mtime, random_file};
use super::support::{PASSWORD, Run, Server};

fn start() -> Server {
    Server::with(json!({ "enabled_ssh_commands": ["scp"] }))
}

fn pscp<'a>(server: &Server, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    server
        .client("pscp")
        .args(["-scp", "-q", "-batch", "-pw", PASSWORD, "-P"])
        .arg(server.port().to_string())
        .args(["-hostkey", &server.host_key_fingerprint()])
        .args(arguments)
}

fn curl(server: &Server, arguments: &[&str], path: &str) -> Run {
    let key = server.key();
    let public = key.with_extension("pub");
    server
        .client("curl")
        .args(["-q", "-sS", "-u", "alice:", "--key"])
        .arg(key)
        .arg("--pubkey")
        .arg(public)
        .args(arguments)
        .arg(format!("scp://127.0.0.1:{}/{path}", server.port()))
}

#[test]
fn pscp_moves_files_of_every_size() {
    let server = start();
    for size in [0, 1, 65_537, 5 << 20] {
        let sent = server.local_file("up", size);
        pscp(&server, ["up", "alice@127.0.0.1:stored"]).succeed();
        assert_same(&sent, &server.home().join("stored"));
        pscp(&server, ["alice@127.0.0.1:stored", "down"]).succeed();
        assert_same(&sent, &server.work().join("down"));
    }
}

#[test]
fn pscp_moves_trees_and_wildcards() {
    let server = start();
    let tree = server.work().join("tree");
    // Few: between the data and the last byte of a file PuTTY waits for an acknowledgement of TCP, 40 ms.
    for number in 0..12 {
        let below = tree.join(format!("dir {}/sub-{number}", number % 3));
        fs::create_dir_all(&below).unwrap();
        random_file(&below.join(format!("file {number}.bin")), number * 1000);
    }
    pscp(&server, ["-p", "-r", "tree", "alice@127.0.0.1:"]).succeed();
    assert_same_tree(&tree, &server.home().join("tree"));
    fs::create_dir(server.work().join("back")).unwrap();
    pscp(&server, ["-r", "alice@127.0.0.1:tree", "back"]).succeed();
    assert_same_tree(&tree, &server.work().join("back/tree"));
    fs::create_dir(server.work().join("some")).unwrap();
    let pattern = "alice@127.0.0.1:/tree/dir*/sub-*/file*.bin";
    pscp(&server, ["-unsafe", pattern, "some"]).succeed();
    assert_eq!(
        fs::read_dir(server.work().join("some")).unwrap().count(),
        12
    );
    pscp(&server, ["alice@127.0.0.1:none", "."])
        .fail()
        .says("No Such File");
}

#[test]
fn curl_moves_files_of_every_size() {
    let server = start();
    for size in SIZES {
        let sent = server.local_file("up", size);
        let name = format!("stored-{size}");
        curl(&server, &["-T", "up"], &name).succeed();
        assert_same(&sent, &server.home().join(&name));
        curl(&server, &["-o", "down"], &name).succeed();
        assert_same(&sent, &server.work().join("down"));
    }
    curl(&server, &["-o", "down"], "none").fail();
    curl(&server, &["-T", "up"], "no/such/name").fail();
    // It sends the times of now, and a mode of its own.
    let stored = server.home().join("stored-1");
    assert_eq!(mode(&stored), 0o644);
    assert!(mtime(&stored) > 1_500_000_000);
}
