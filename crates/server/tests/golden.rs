//! What users read is generated from the code and kept in files, so that a change of it is seen.
//!
//! `UPDATE_GOLDEN=1 cargo test -p sftpgo-server --test golden` writes the files anew.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

fn compare(path: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, actual).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if let Some(line) = (1..)
        .zip(actual.lines())
        .find(|(number, line)| expected.lines().nth(number - 1) != Some(*line))
    {
        panic!(
            "{} differs from line {} on: {}",
            path.display(),
            line.0,
            line.1
        );
    }
    assert_eq!(
        expected.lines().count(),
        actual.lines().count(),
        "{}",
        path.display()
    );
}

#[test]
fn the_config_reference_is_current() {
    compare(
        "../../docs/configuration.md",
        &sftpgo_server::config::reference_page(),
    );
}

#[test]
fn the_openapi_document_is_current() {
    compare(
        "../../openapi/openapi.json",
        &sftpgo_http::openapi_document(),
    );
}

#[test]
fn the_help_texts_are_current() {
    let mut text = String::new();
    help(
        &sftpgo_server::cli::command().term_width(100),
        &mut Vec::new(),
        &mut text,
    );
    compare("tests/golden/help.txt", &text);
}

/// The help of a command and all commands below it.
fn help(command: &clap::Command, path: &mut Vec<String>, text: &mut String) {
    path.push(command.get_name().to_owned());
    let rendered = command.clone().bin_name(path.join(" ")).render_long_help();
    text.push_str(&format!("## {}\n\n{rendered}\n", path.join(" ")));
    for inner in command
        .get_subcommands()
        .filter(|inner| inner.get_name() != "help")
    {
        help(&inner.clone().term_width(100), path, text);
    }
    path.pop();
}
