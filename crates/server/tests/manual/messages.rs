//! `docs/troubleshooting.md` explains messages: each of them is in the source, so that it is the one that users see.
//!
//! A message is a heading of the third level, between backquotes; `...` stands for what differs.

use std::fs;
use std::path::Path;

use crate::page::{Page, root};

const PAGE: &str = "docs/troubleshooting.md";

/// The texts of the program, as they are when it runs: without the ends of lines that strings leave out.
fn sources(directory: &Path, found: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut pieces = text.split("\\\n");
            found.push_str(pieces.next().unwrap_or_default());
            for piece in pieces {
                found.push_str(piece.trim_start());
            }
        }
    }
}

fn messages() -> Vec<(usize, String)> {
    let page = Page::read(PAGE);
    let lines = (1..).zip(page.text.lines());
    lines
        .filter_map(|(number, line)| {
            let message = line.strip_prefix("### `")?.strip_suffix('`')?;
            Some((number, message.to_owned()))
        })
        .collect()
}

#[test]
fn every_message_of_the_troubleshooting_page_is_in_the_source() {
    let mut text = String::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let source = entry.unwrap().path().join("src");
        if source.is_dir() {
            sources(&source, &mut text);
        }
    }
    let text = text.replace("\\\"", "\"");
    let messages = messages();
    let mut wrong = Vec::new();
    for (line, message) in &messages {
        for part in message.split("...").map(str::trim) {
            if !part.is_empty() && !text.contains(part) {
                wrong.push(format!("{PAGE}:{line}: no source has `{part}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(messages.len() > 20, "{} messages", messages.len());
}
