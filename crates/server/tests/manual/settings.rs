//! What the manual shows as JSON is JSON, and what it shows as settings are settings of the program.

use std::fs;
use std::process::Command;

use crate::page::{Kind, pages};

/// The sections of a settings file.
const SECTIONS: [&str; 5] = [
    "data_provider",
    "defender",
    "httpd",
    "object_stores",
    "sftpd",
];

/// What `config check` says about a settings file.
fn check(text: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("sftpgo.json"), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_sftpgo"))
        .args(["config", "check"])
        .env_clear()
        .env("HOME", directory.path())
        .current_dir(directory.path())
        .output()
        .unwrap();
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn every_setting_that_the_manual_shows_is_known() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for page in pages() {
        for block in &page.blocks {
            let is_json = match &block.kind {
                Kind::Other(language) => language == "json",
                Kind::File(name) => name.ends_with(".json"),
                Kind::Shell | Kind::Background | Kind::Output | Kind::Unrun(_) => false,
            };
            if !is_json {
                continue;
            }
            let at = format!("{}:{}", page.path, block.line);
            let value: serde_json::Value = match serde_json::from_str(&block.text) {
                Ok(value) => value,
                Err(error) => {
                    wrong.push(format!("{at}: {error}"));
                    continue;
                }
            };
            let keys: Vec<&String> = value
                .as_object()
                .into_iter()
                .flat_map(|map| map.keys())
                .collect();
            if !keys.iter().any(|key| SECTIONS.contains(&key.as_str())) {
                continue;
            }
            checked += 1;
            // That files of the page are not there is no fault of it.
            let said = check(&block.text);
            let unknown = said.lines().filter(|line| {
                line.contains("unknown ")
                    || line.contains("cannot be parsed")
                    || line.contains("not a ")
            });
            wrong.extend(unknown.map(|line| format!("{at}: {line}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 8, "{checked} settings files were found");
}
