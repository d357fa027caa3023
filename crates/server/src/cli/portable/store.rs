//! The flags of object stores: one for each setting of each back end, from the tables in `model`.

use std::fmt;
use std::path::Path;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use sftpgo_core::model::filesystem::{BACK_ENDS, Field, Kind};
use sftpgo_core::model::{FilesystemConfig, FilesystemProvider};
use zeroize::Zeroizing;

use crate::app::AppError;

/// The largest file of credentials (reference 15.1).
const LARGEST_FILE: u64 = 1 << 20;
/// What variables of the environment for secrets begin with.
const VARIABLE: &str = "SFTPGO_PORTABLE_";
/// The back ends, by number and by name.
const PROVIDERS: [(&str, &str, FilesystemProvider); 4] = [
    ("0", "local", FilesystemProvider::Local),
    ("1", "s3", FilesystemProvider::S3),
    ("2", "gcs", FilesystemProvider::Gcs),
    ("3", "azblob", FilesystemProvider::Azure),
];

/// Where the files are, as flags say it. Debug shows no values: some are secrets.
#[derive(Clone, Default)]
pub(super) struct StoreFlags {
    provider: FilesystemProvider,
    given: Vec<(&'static Field, Zeroizing<String>)>,
}

impl fmt::Debug for StoreFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.given.iter().map(|(field, _)| field.flag);
        f.debug_struct("StoreFlags")
            .field("provider", &self.provider)
            .field("given", &names.collect::<Vec<_>>())
            .finish()
    }
}

impl StoreFlags {
    /// The settings of the store; files are read.
    ///
    /// # Errors
    /// A flag of another store, a value that is none, a file that cannot be read.
    pub(super) fn config(&self) -> Result<FilesystemConfig, AppError> {
        let mut values = Vec::new();
        for (field, text) in &self.given {
            let value = if field.is_file() && !text.is_empty() {
                read(field, Path::new(text.as_str()))?
            } else {
                text.clone()
            };
            values.push((field.flag, value));
        }
        let flags = values.iter().map(|(flag, value)| (*flag, value.as_str()));
        let made = FilesystemConfig::from_flags(self.provider, flags);
        made.map_err(|error| AppError(error.to_string()))
    }
}

fn read(field: &Field, path: &Path) -> Result<Zeroizing<String>, AppError> {
    use std::io::Read as _;
    let mut text = Zeroizing::new(String::new());
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_string(&mut text));
    let failed = |reason: &dyn fmt::Display| {
        AppError(format!(
            "cannot read --{} {}: {reason}",
            field.flag,
            path.display()
        ))
    };
    match read {
        Ok(size) if size as u64 > LARGEST_FILE => Err(failed(&"it is larger than 1 MiB")),
        Ok(_) => Ok(text),
        Err(error) => Err(failed(&error)),
    }
}

/// Every flag with the title of its back end.
fn fields() -> impl Iterator<Item = (&'static str, &'static Field)> {
    let back_ends = BACK_ENDS.iter();
    back_ends.flat_map(|back_end| back_end.fields.iter().map(|field| (back_end.title, field)))
}

fn argument(title: &'static str, field: &'static Field) -> Arg {
    let value = match field.kind {
        _ if field.is_file() => "FILE",
        Kind::Number(..) => "NUMBER",
        Kind::Flag(_) | Kind::Switch(_) => "BOOL",
        Kind::Text(..) | Kind::Secret(..) => "TEXT",
    };
    let argument = Arg::new(field.flag)
        .long(field.flag)
        .value_name(value)
        .help(format!(
            "{}: {}",
            field.label,
            field.help.trim_end_matches('.')
        ))
        .help_heading(title);
    match field.kind {
        Kind::Secret(..) if !field.is_file() => argument.env(variable(field)).hide_env_values(true),
        // `--s3-force-path-style` alone means yes.
        Kind::Flag(_) => argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        Kind::Text(..) | Kind::Secret(..) | Kind::Number(..) | Kind::Switch(_) => argument,
    }
}

/// A secret need not be seen in the list of processes.
fn variable(field: &Field) -> String {
    format!(
        "{VARIABLE}{}",
        field.flag.replace('-', "_").to_ascii_uppercase()
    )
}

impl Args for StoreFlags {
    fn augment_args(command: Command) -> Command {
        let names = PROVIDERS
            .iter()
            .flat_map(|(number, name, _)| [*number, *name]);
        let provider = Arg::new("fs-provider")
            .short('f')
            .long("fs-provider")
            .value_name("STORE")
            .default_value("0")
            .value_parser(PossibleValuesParser::new(names))
            .hide_possible_values(true)
            .help("Where the files are: 0 or `local`, 1 or `s3`, 2 or `gcs`, 3 or `azblob`");
        fields().fold(command.arg(provider), |command, (title, field)| {
            command.arg(argument(title, field))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for StoreFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let provider = matches.get_one::<String>("fs-provider");
        let known = PROVIDERS.iter().find(|(number, name, _)| {
            provider.is_some_and(|given| given == number || given == name)
        });
        self.provider = known.map(|(_, _, provider)| *provider).unwrap_or_default();
        self.given = fields()
            .filter_map(|(_, field)| {
                let value = matches.get_one::<String>(field.flag)?;
                // A variable for another store is nobody's mistake.
                let source = matches.value_source(field.flag);
                let by_variable = source == Some(clap::parser::ValueSource::EnvVariable);
                let own = self.provider.back_end();
                let of_this =
                    own.is_some_and(|own| own.fields.iter().any(|of| of.flag == field.flag));
                (of_this || !by_variable).then(|| (field, Zeroizing::new(value.clone())))
            })
            .collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Share {
        #[command(flatten)]
        store: StoreFlags,
    }

    fn config(arguments: &[&str]) -> Result<FilesystemConfig, String> {
        let arguments = [&["portable"], arguments].concat();
        let share = Share::try_parse_from(arguments).map_err(|error| error.to_string())?;
        share.store.config().map_err(|error| error.to_string())
    }

    #[test]
    fn a_store_is_named_by_number_or_by_name() {
        for (name, provider) in [
            ("0", FilesystemProvider::Local),
            ("s3", FilesystemProvider::S3),
            ("2", FilesystemProvider::Gcs),
            ("azblob", FilesystemProvider::Azure),
        ] {
            assert_eq!(config(&["-f", name]).unwrap().provider, provider);
        }
        assert!(config(&["-f", "4"]).is_err());
    }

    #[test]
    fn the_flags_of_the_reference_fill_the_settings() {
        let s3 = config(&[
            "--fs-provider=1",
            "--s3-bucket",
            "b",
            "--s3-access-key=k",
            "--s3-access-secret=s3cret",
            "--s3-key-prefix",
            "a/b/",
            "--s3-force-path-style",
        ]);
        let s3 = s3.unwrap().s3config;
        assert_eq!((s3.bucket.as_str(), s3.key_prefix.as_str()), ("b", "a/b/"));
        assert!(s3.force_path_style);
        let gcs = config(&["-f", "2", "--gcs-automatic-credentials", "1"]).unwrap();
        assert_eq!(gcs.gcsconfig.automatic_credentials, 1);
    }

    #[test]
    fn a_file_of_credentials_is_read_and_not_too_large() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key.json");
        std::fs::write(&file, "{\"type\":\"service_account\"}").unwrap();
        let file = file.to_str().unwrap();
        let gcs = config(&["-f", "2", "--gcs-credentials-file", file]).unwrap();
        assert_eq!(gcs.gcsconfig.automatic_credentials, 0);
        std::fs::write(file, " ".repeat((1 << 20) + 1)).unwrap();
        let error = config(&["-f", "2", "--gcs-credentials-file", file]).unwrap_err();
        assert!(error.contains("larger than 1 MiB"), "{error}");
    }

    #[test]
    fn no_secret_is_shown() {
        let arguments = ["portable", "-f", "1", "--s3-access-secret=s3cret"];
        let share = Share::try_parse_from(arguments).unwrap();
        let shown = format!("{share:?}");
        assert!(
            shown.contains("s3-access-secret") && !shown.contains("s3cret"),
            "{shown}"
        );
    }
}
