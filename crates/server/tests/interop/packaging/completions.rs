//! zsh and fish complete commands and flags with what `sftpgo completions` prints. The test of bash is beside the command line.

use std::fs;
use std::path::Path;

use crate::support::Run;

/// What is typed before the key for completion, and what stands there after it.
const TYPED: [(&str, &str); 4] = [
    ("sftpgo port", "sftpgo portable"),
    ("sftpgo portable --direct", "sftpgo portable --directory"),
    ("sftpgo user ad", "sftpgo user add"),
    ("sftpgo user add --quota-s", "sftpgo user add --quota-size"),
];

/// A key that notes the line and ends the shell.
const ZSHRC: &str = r#"
fpath=($ZDOTDIR $fpath)
autoload -U compinit
compinit -u -D
note() { print -r -- $BUFFER >$ZDOTDIR/line; exit }
zle -N note
bindkey '^X' note
"#;

/// A terminal with a shell in it, in which `$1` is typed.
const TERMINAL: &str = r#"
zmodload zsh/zpty
zpty shell zsh -d -i
zpty -w -n shell "$1"$'\t\C-X'
while zpty -r shell said; do print -r -- $said; done
"#;

fn script_of(shell: &str, directory: &Path) -> Vec<u8> {
    Run::new(env!("CARGO_BIN_EXE_sftpgo"), directory, directory)
        .args(["completions", shell])
        .succeed()
        .stdout
}

#[test]
fn zsh_completes_commands_and_flags() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    fs::write(at.join("_sftpgo"), script_of("zsh", at)).unwrap();
    fs::write(at.join(".zshrc"), ZSHRC).unwrap();
    fs::write(at.join("terminal"), TERMINAL).unwrap();
    for (typed, completed) in TYPED {
        let _ = fs::remove_file(at.join("line"));
        let said = Run::new("zsh", at, at)
            .env("ZDOTDIR", at)
            .args(["-f", "terminal", typed])
            .succeed()
            .stdout;
        let said = String::from_utf8_lossy(&said).into_owned();
        let line = fs::read_to_string(at.join("line"));
        let line = line.unwrap_or_else(|_| panic!("{typed}: {said}"));
        // A space or an equals sign waits for what comes next.
        assert_eq!(line.trim_end().trim_end_matches('='), completed, "{said}");
    }
}

#[test]
fn fish_completes_commands_and_flags() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    fs::write(at.join("sftpgo.fish"), script_of("fish", at)).unwrap();
    Run::new("fish", at, at)
        .args(["--no-execute", "sftpgo.fish"])
        .succeed();
    for (typed, completed) in TYPED {
        let finished = Run::new("fish", at, at)
            .args([
                "--no-config",
                "-c",
                "source sftpgo.fish; complete -C $argv[1]",
                typed,
            ])
            .succeed();
        assert!(finished.stderr.is_empty(), "{typed}: {:?}", finished.stderr);
        // Words that would stand there, each with its description.
        let said = String::from_utf8(finished.stdout).unwrap();
        let words: Vec<&str> = said
            .lines()
            .filter_map(|line| line.split('\t').next())
            .collect();
        let word = completed.rsplit(' ').next().unwrap();
        assert_eq!(words, [word], "{typed}");
    }
}
