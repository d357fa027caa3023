//! `sftpgo config show`.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::ArgMatches;
use clap::parser::ValueSource;
use serde_json::{Value, json};

use crate::cli::{ConfigArgs, Format, OutputArgs, print, refuse};
use crate::config::{Loaded, ShownValue, Source};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    config: ConfigArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn main(args: &Args, matches: &ArgMatches) -> ExitCode {
    let loaded = match args.config.load() {
        Ok(loaded) => loaded,
        Err(error) => return refuse(&error),
    };
    let options = [
        option(
            "config_dir",
            args.config.config_dir.display().to_string(),
            matches,
        ),
        option("config_file", args.config.config_file.clone(), matches),
    ];
    let text = match args.output.format() {
        Format::Json => as_json(&options, &loaded),
        Format::Table => as_text(&options, &loaded),
    };
    print(&text)
}

/// An option of the command line, shown like a setting.
fn option(id: &str, value: String, matches: &ArgMatches) -> ShownValue {
    let source = match matches.value_source(id) {
        Some(ValueSource::CommandLine) => Source::Flag(format!("--{}", id.replace('_', "-"))),
        Some(ValueSource::EnvVariable) => Source::Variable(format!("SFTPGO_{}", id.to_uppercase())),
        _ => Source::Default,
    };
    ShownValue {
        key: id.to_owned(),
        value: Value::from(value),
        source,
    }
}

fn as_text(options: &[ShownValue], loaded: &Loaded) -> String {
    let mut text = match loaded.file() {
        Some(file) => format!("# settings file: {}\n", file.display()),
        None => "# no settings file\n".to_owned(),
    };
    for ShownValue { key, value, source } in options.iter().chain(loaded.values()) {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{key} = {value}  # {source}");
    }
    text
}

fn as_json(options: &[ShownValue], loaded: &Loaded) -> String {
    let rows = options.iter().chain(loaded.values());
    let rows = rows.map(|ShownValue { key, value, source }| {
        json!({"key": key, "value": value, "source": source.to_string()})
    });
    let file = loaded.file().map(|file| file.display().to_string());
    let page = json!({"file": file, "settings": rows.collect::<Vec<Value>>()});
    format!("{page:#}\n")
}
