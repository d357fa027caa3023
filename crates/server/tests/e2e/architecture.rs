//! Crates depend on each other only as the design allows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The arrows: which of our crates each crate may use in the product. Front ends never reach storage or data.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("wire", &["model"]),
    ("net", &["model"]),
    ("storage", &["model"]),
    ("data", &["model"]),
    ("import", &["model"]),
    ("client", &["model"]),
    ("core", &["model", "storage", "data"]),
    ("ssh", &["core", "wire", "net"]),
    ("http", &["core", "wire", "net"]),
    (
        "server",
        &[
            "model", "storage", "data", "core", "wire", "net", "ssh", "http", "import", "client",
        ],
    ),
];

/// Crates of the workspace that are no part of the product.
const TOOLS: &[&str] = &["testkit", "testdb", "teststore", "testguard", "bench"];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Normal and build dependencies on each other of the crates of the workspace, without the prefix of our names. A foreign crate
/// may be called as one of ours is without it.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let short = |name: &Value| {
        let name = name.as_str().unwrap();
        name.strip_prefix("sftpgo-").unwrap_or(name).to_owned()
    };
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let of = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap();
        let used = all
            .iter()
            .filter(|dependency| dependency["kind"] != "dev" && !dependency["path"].is_null());
        used.map(|dependency| short(&dependency["name"])).collect()
    };
    packages
        .iter()
        .map(|package| (short(&package["name"]), of(package)))
        .collect()
}

#[test]
fn crates_use_only_what_the_arrows_allow() {
    let dependencies = dependencies();
    let ours: BTreeSet<&str> = dependencies.keys().map(String::as_str).collect();
    for (name, used) in &dependencies {
        if TOOLS.contains(&name.as_str()) {
            continue;
        }
        let row = ARROWS.iter().find(|(of, _)| of == name);
        let (_, allowed) = row.unwrap_or_else(|| panic!("{name} has no row in the table"));
        for other in used.iter().filter(|other| ours.contains(other.as_str())) {
            assert!(
                allowed.contains(&other.as_str()),
                "{name} must not depend on {other}"
            );
        }
    }
}

#[test]
fn the_test_kit_is_no_part_of_the_product() {
    for (name, used) in dependencies() {
        if !TOOLS.contains(&name.as_str()) {
            assert!(
                TOOLS.iter().all(|tool| !used.contains(*tool)),
                "{name} depends on a tool"
            );
        }
    }
}

#[test]
fn the_ssh_library_can_be_replaced_in_one_folder() {
    for (name, used) in dependencies() {
        if !TOOLS.contains(&name.as_str()) && name != "ssh" {
            assert!(!used.contains("russh"), "{name} depends on russh");
        }
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ssh/src");
    let mut named = Vec::new();
    files_naming(&source, "russh", &mut named);
    let outside: Vec<_> = named
        .iter()
        .filter(|path| !path.starts_with(source.join("transport")))
        .collect();
    assert!(
        outside.is_empty(),
        "only transport/ may name the library: {outside:?}"
    );
    assert!(!named.is_empty(), "the test looks at the wrong place");
}

fn files_naming(directory: &Path, word: &str, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_naming(&path, word, found);
        } else if fs::read_to_string(&path).unwrap().contains(word) {
            found.push(path);
        }
    }
}
