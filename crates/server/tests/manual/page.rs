//! A page of the manual, read as what a reader would type.
//!
//! The info string of a fence says what becomes of its block:
//!
//! | Info string | |
//! |---|---|
//! | `sh` | is run |
//! | `sh,background` | one command, a server: is started, and the page goes on when it listens |
//! | `sh,unrun=REASON` | cannot be run here, and is only looked at by `bash -n`; `main.rs` lists all of them |
//! | `LANGUAGE,file=PATH` | is written to that file, which can be executed if it begins with `#!` |
//! | `text,output` | what the commands before it have written to standard output, as `output.rs` compares it |
//!
//! What readers need not see, such as the end of a server, stands in a comment that begins with `<!-- sh`, and
//! `<!-- serve FLAGS -->` is the server, in the background.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Shell,
    Background,
    File(String),
    Output,
    Unrun(String),
    /// Of another language, which is not run.
    Other(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of its fence, from 1.
    pub(crate) line: usize,
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

pub(crate) struct Page {
    /// From the root of the repository.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) blocks: Vec<Block>,
}

impl Page {
    pub(crate) fn read(path: &str) -> Self {
        Self::of(path, &fs::read_to_string(root().join(path)).unwrap())
    }

    pub(crate) fn of(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            blocks: blocks(path, text),
        }
    }

    pub(crate) fn shows_commands(&self) -> bool {
        let shown = [Kind::Shell, Kind::Background];
        self.blocks.iter().any(|block| shown.contains(&block.kind))
    }
}

/// The pages of the manual, and the README.
pub(crate) fn pages() -> Vec<Page> {
    let mut names: Vec<String> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    names.push("README.md".to_owned());
    names.sort();
    names.iter().map(|name| Page::read(name)).collect()
}

fn blocks(path: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((line, first)) = lines.next() {
        let opening = first.trim_start();
        let indent = first.len() - opening.len();
        let (end, kind) = if let Some(info) = opening.strip_prefix("```") {
            (
                "```",
                kind(info).unwrap_or_else(|| panic!("{path}:{line}: what is `{info}`?")),
            )
        } else if opening == "<!-- sh" {
            ("-->", Kind::Shell)
        } else {
            let flags = opening
                .strip_prefix("<!-- serve")
                .and_then(|rest| rest.strip_suffix("-->"));
            blocks.extend(flags.map(|flags| Block {
                line,
                kind: Kind::Background,
                text: format!("sftpgo serve{flags}\n"),
            }));
            continue;
        };
        let mut inner = String::new();
        loop {
            let (_, next) = lines
                .next()
                .unwrap_or_else(|| panic!("{path}:{line}: the block has no end"));
            if next.trim() == end {
                break;
            }
            inner.push_str(next.get(indent..).unwrap_or_default());
            inner.push('\n');
        }
        blocks.push(Block {
            line,
            kind,
            text: inner,
        });
    }
    blocks
}

fn kind(info: &str) -> Option<Kind> {
    let (language, attribute) = info.split_once(',').unwrap_or((info, ""));
    if let Some(file) = attribute.strip_prefix("file=") {
        return Some(Kind::File(file.to_owned()));
    }
    match (language, attribute) {
        ("sh", "") => Some(Kind::Shell),
        ("sh", "background") => Some(Kind::Background),
        ("sh", reason) => Some(Kind::Unrun(reason.strip_prefix("unrun=")?.to_owned())),
        ("text", "output") => Some(Kind::Output),
        // Other names of shells would be a way around this test.
        ("bash" | "shell" | "console" | "zsh", _) => None,
        (language, "") => Some(Kind::Other(language.to_owned())),
        _ => None,
    }
}

#[test]
fn the_info_string_says_what_becomes_of_a_block() {
    let text = "Do:\n\n- now\n\n  ```sh\n  one\n    two\n  ```\n<!-- sh\nstop\n-->\n<!-- serve -c x -->\n```json,file=/etc/x\n{}\n```\n";
    let found = blocks("page", text);
    let block = |line, kind, text: &str| Block {
        line,
        kind,
        text: text.to_owned(),
    };
    assert_eq!(
        found,
        [
            block(5, Kind::Shell, "one\n  two\n"),
            block(9, Kind::Shell, "stop\n"),
            block(12, Kind::Background, "sftpgo serve -c x \n"),
            block(13, Kind::File("/etc/x".to_owned()), "{}\n"),
        ]
    );
    assert_eq!(kind("sh,background"), Some(Kind::Background));
    assert_eq!(
        kind("sh,unrun=no-docker"),
        Some(Kind::Unrun("no-docker".to_owned()))
    );
    assert_eq!(kind("text,output"), Some(Kind::Output));
    assert_eq!(kind("sql"), Some(Kind::Other("sql".to_owned())));
    for unknown in ["bash", "console", "sh,later", "json,silently"] {
        assert_eq!(kind(unknown), None, "{unknown}");
    }
}
