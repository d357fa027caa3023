//! The fuzzers start from the golden packets. Run with `UPDATE_SEEDS=1` to write new ones to `fuzz/seeds`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bytes::BytesMut;

use super::super::{Attrs, Request};
use super::{golden_replies, golden_requests};

/// The fuzzers of streams take the size of chunks from their first byte.
const CHUNK_SIZE: u8 = 32;

fn stream(packet: &[u8]) -> Vec<u8> {
    [&[CHUNK_SIZE], packet].concat()
}

fn request_seeds() -> Vec<(String, Vec<u8>)> {
    let mut names = BTreeSet::new();
    let named = |(request, bytes): (Request, Vec<u8>)| {
        let mut name = if let Request::Extended { request, .. } = &request {
            String::from_utf8_lossy(request.name()).into_owned()
        } else {
            format!("type-{:02}", request.type_byte())
        };
        while !names.insert(name.clone()) {
            name.push_str("-more");
        }
        (name, stream(&bytes))
    };
    golden_requests::all().into_iter().map(named).collect()
}

fn reply_seeds() -> Vec<(String, Vec<u8>)> {
    let named = |(_, _, bytes): (_, _, Vec<u8>)| (format!("type-{}", bytes[4]), stream(&bytes));
    golden_replies::all().into_iter().map(named).collect()
}

fn attrs_seeds() -> Vec<(String, Vec<u8>)> {
    let all = Attrs {
        size: Some(1),
        owner: Some((2, 3)),
        permissions: Some(0o100_644),
        times: Some((4, 5)),
    };
    let mut bytes = BytesMut::from(&[CHUNK_SIZE][..]);
    all.encode(&mut bytes);
    let extended = super::hex("20 80000000 00000001 00000001 'n' 00000002 'vv'");
    vec![
        ("all".to_owned(), bytes.to_vec()),
        ("extended".to_owned(), extended),
    ]
}

fn check(target: &str, seeds: Vec<(String, Vec<u8>)>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let dir = root.join(target);
    let update = std::env::var_os("UPDATE_SEEDS").is_some();
    if update {
        fs::create_dir_all(&dir).unwrap();
    }
    for (name, bytes) in seeds {
        let path = dir.join(&name);
        if update {
            fs::write(&path, &bytes).unwrap();
        }
        let found = fs::read(&path).unwrap_or_default();
        assert_eq!(found, bytes, "seed {target}/{name} is not up to date");
    }
}

#[test]
fn the_fuzzers_start_from_the_golden_packets() {
    check("sftp_request", request_seeds());
    check("sftp_reply", reply_seeds());
    check("sftp_attrs", attrs_seeds());
}
