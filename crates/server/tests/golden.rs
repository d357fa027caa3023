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

#[test]
fn the_command_reference_is_current() {
    let mut text = String::from(
        "# Command line\n\n\
         This page is generated from the source of the commands; `sftpgo help` and `--help` behind a command say the same.\n\n\
         A command ends with status 0 if it did what it was asked, and with 1 if not; then it says why on standard error.\n",
    );
    reference(&sftpgo_server::cli::command(), &mut Vec::new(), &mut text);
    compare("../../docs/cli.md", &text);
}

/// The section of a command in the reference, and those of all commands below it.
fn reference(command: &clap::Command, path: &mut Vec<String>, text: &mut String) {
    path.push(command.get_name().to_owned());
    let name = path.join(" ");
    let mut command = command.clone().bin_name(&name);
    // So that arguments and defaults are those of the program, `--help` included.
    command.build();
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    text.push_str(&format!(
        "\n## `{name}`\n\n{about}.\n\n```text\n{usage}\n```\n"
    ));
    let own = command.get_arguments().filter(|argument| {
        !argument.is_hide_set() && !["help", "version"].contains(&argument.get_id().as_str())
    });
    let rows: Vec<String> = own.map(row).collect();
    if !rows.is_empty() {
        text.push_str(&format!(
            "\n| Argument | Meaning |\n|---|---|\n{}\n",
            rows.join("\n")
        ));
    }
    for inner in command
        .get_subcommands()
        .filter(|inner| inner.get_name() != "help" && !inner.is_hide_set())
    {
        reference(inner, path, text);
    }
    path.pop();
}

/// The row of an argument: how it is written, what it means, its variable and its default.
fn row(argument: &clap::Arg) -> String {
    let mut names = Vec::new();
    names.extend(argument.get_short().map(|short| format!("-{short}")));
    names.extend(argument.get_long().map(|long| format!("--{long}")));
    let takes_value = argument.get_action().takes_values();
    let values = argument.get_value_names().unwrap_or_default().iter();
    let values: Vec<String> = values.map(|name| format!("<{name}>")).collect();
    let mut written = names.join(", ");
    if takes_value && !values.is_empty() {
        written = format!("{written} {}", values.join(" "));
    }
    let help = argument.get_long_help().or(argument.get_help());
    let meaning = help.map(ToString::to_string).unwrap_or_default();
    let mut meaning = format!("{}.", meaning.trim_end_matches('.'));
    if let Some(variable) = argument.get_env() {
        meaning.push_str(&format!(" Variable: `{}`.", variable.to_string_lossy()));
    }
    let defaults: Vec<String> = argument
        .get_default_values()
        .iter()
        .map(|value| format!("`{}`", value.to_string_lossy()))
        .collect();
    if takes_value && !defaults.is_empty() {
        meaning.push_str(&format!(" Default: {}.", defaults.join(", ")));
    }
    let meaning = meaning.replace('|', "\\|").replace('\n', " ");
    format!("| `{}` | {meaning} |", written.trim())
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
