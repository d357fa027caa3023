//! Where the files of a user are, as flags: the back end and its settings, a flag each, from the tables of the model. Whatever
//! becomes a setting of a store there is a flag here.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use sftpgo_model::filesystem::{BACK_ENDS, BackEnd, Field, Kind, SecretFrom, TextRule};
use sftpgo_model::{FilesystemConfig, FilesystemProvider};
use zeroize::Zeroizing;

/// Files of credentials and certificates are small; more is a mistake.
const LARGEST_FILE: u64 = 1 << 20;
const PROVIDER: &str = "fs-provider";
const AUTOMATIC: &str = "gcs-automatic-credentials";
const HEADING: &str = "Where the files are";
const NAMES: [(&str, FilesystemProvider); 4] = [
    ("local", FilesystemProvider::Local),
    ("s3", FilesystemProvider::S3),
    ("gcs", FilesystemProvider::Gcs),
    ("azure", FilesystemProvider::Azure),
];

/// What variables begin with that have secrets which may be typed.
const VARIABLE: &str = "SFTPGO_PORTABLE_";

/// The flags that were given. Secrets are read from files; with `TYPED` they may stand in the flag itself as well, as the
/// reference's portable mode has them, or in a variable of the environment.
#[derive(Clone, Default)]
pub struct StoreFlags<const TYPED: bool = false> {
    provider: Option<FilesystemProvider>,
    given: Vec<(&'static str, String)>,
}

/// Deliberately shows no value: some are secrets.
impl<const TYPED: bool> fmt::Debug for StoreFlags<TYPED> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags: Vec<_> = self.given.iter().map(|(flag, _)| flag).collect();
        f.debug_struct("StoreFlags")
            .field("provider", &self.provider)
            .field("flags", &flags)
            .finish()
    }
}

impl<const TYPED: bool> StoreFlags<TYPED> {
    /// Lays the flags over the settings of an account. Files that flags name are read.
    ///
    /// # Errors
    /// A flag of another back end, a value that is none for its flag, or a file that cannot be read. No secret is in the
    /// sentence.
    pub fn apply(&self, config: &mut FilesystemConfig) -> Result<(), String> {
        let before = config.clone();
        if let Some(provider) = self.provider {
            config.provider = provider;
        }
        for (flag, value) in &self.given {
            let Some((back_end, field)) = found(flag) else {
                return Err(format!("there is no flag --{flag}"));
            };
            if back_end.provider != config.provider {
                return Err(format!(
                    "--{flag} is for {}: add --{PROVIDER} {}",
                    back_end.title,
                    name_of(back_end.provider)
                ));
            }
            let value = value_of(field, value, TYPED)?;
            field
                .set(config, &value)
                .map_err(|wrong| format!("--{flag}: {wrong}"))?;
        }
        let decides = |flag: &str| self.given.iter().any(|(given, _)| *given == flag);
        if self.provider == Some(FilesystemProvider::Gcs)
            && config.gcsconfig.credentials.is_empty()
            && !decides(AUTOMATIC)
        {
            // Without a file, those of the surroundings are meant.
            config.gcsconfig.automatic_credentials = 1;
        }
        if let Some(back_end) = config.provider.back_end() {
            (back_end.settle)(&before, config);
        }
        Ok(())
    }
}

impl<const TYPED: bool> FromArgMatches for StoreFlags<TYPED> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        if let Some(provider) = matches.get_one::<FilesystemProvider>(PROVIDER) {
            self.provider = Some(*provider);
        }
        let provider = self.provider.unwrap_or_default();
        for (back_end, field) in fields() {
            // A variable for another store is nobody's mistake.
            let by_variable = matches.value_source(field.flag) == Some(ValueSource::EnvVariable);
            if by_variable && back_end.provider != provider {
                continue;
            }
            if let Some(value) = matches.get_one::<String>(field.flag) {
                self.given.push((field.flag, value.clone()));
            }
        }
        Ok(())
    }
}

impl<const TYPED: bool> Args for StoreFlags<TYPED> {
    fn augment_args(command: Command) -> Command {
        let provider = Arg::new(PROVIDER)
            .long(PROVIDER)
            .visible_alias("fs")
            .value_name("local|s3|gcs|azure")
            .value_parser(parse_provider)
            .help("Where the files are: on the disks of the server, or in an object store")
            .help_heading(HEADING);
        let provider = if TYPED { provider.short('f') } else { provider };
        let command = command.arg(provider);
        command.args(fields().map(|(_, field)| {
            let (value, more) = form(field, TYPED);
            let arg = Arg::new(field.flag)
                .long(field.flag)
                .value_name(value)
                .help(format!("{}{more}", sentence(field)))
                .hide_short_help(true)
                .help_heading(HEADING);
            match field.kind {
                Kind::Secret(_, SecretFrom::Text) if TYPED => {
                    arg.env(variable(field)).hide_env_values(true)
                }
                Kind::Secret(..)
                | Kind::Text(..)
                | Kind::Number(..)
                | Kind::Flag(_)
                | Kind::Switch(_) => arg,
            }
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn fields() -> impl Iterator<Item = (&'static BackEnd, &'static Field)> {
    let back_ends = BACK_ENDS.iter();
    back_ends.flat_map(|of| of.fields.iter().map(move |field| (of, field)))
}

fn found(flag: &str) -> Option<(&'static BackEnd, &'static Field)> {
    fields().find(|(_, field)| field.flag == flag)
}

/// Where a secret is that may be typed, but had better not be seen in the list of processes.
fn variable(field: &Field) -> String {
    let name = field.flag.replace('-', "_").to_ascii_uppercase();
    format!("{VARIABLE}{name}")
}

/// What the flag takes, and what there is to say about it.
fn form(field: &Field, typed: bool) -> (&'static str, &'static str) {
    match field.kind {
        Kind::Secret(_, SecretFrom::Text) if typed => {
            ("TEXT", "; better `@FILE`, with it on its first line")
        }
        Kind::Secret(_, SecretFrom::Text) => ("@FILE", "; `@FILE` has it on its first line"),
        Kind::Secret(_, SecretFrom::File) => ("FILE", ""),
        Kind::Text(_, TextRule::Certificates) => ("@FILE", ""),
        Kind::Text(..) => ("TEXT", ""),
        Kind::Number(..) => ("NUMBER", ""),
        Kind::Flag(_) | Kind::Switch(_) => ("true|false", ""),
    }
}

fn sentence(field: &Field) -> String {
    let help = field.help.trim_end_matches('.');
    if help.is_empty() {
        return field.label.to_owned();
    }
    format!("{}: {help}", field.label)
}

/// What is in the file if the flag names one. A secret that is typed is refused unless it must not be: arguments can be seen by
/// everybody on the machine, and stay in the history of the shell.
fn value_of(field: &Field, value: &str, typed: bool) -> Result<Zeroizing<String>, String> {
    let of_file = |path: &str| {
        read(Path::new(path))
            .map_err(|error| format!("--{}: cannot read {path}: {error}", field.flag))
    };
    match (&field.kind, value.strip_prefix('@')) {
        (_, _) if value.is_empty() => Ok(Zeroizing::default()),
        (Kind::Secret(_, SecretFrom::File), _) => of_file(value),
        (Kind::Secret(_, SecretFrom::Text), Some(path)) => {
            let text = of_file(path)?;
            let line = text.lines().next().unwrap_or_default();
            Ok(Zeroizing::new(line.to_owned()))
        }
        (Kind::Secret(_, SecretFrom::Text), None) if typed => Ok(Zeroizing::new(value.to_owned())),
        (Kind::Secret(_, SecretFrom::Text), None) => Err(format!(
            "--{}: a secret on the command line can be seen by others: write it to a file and give --{} @FILE",
            field.flag, field.flag
        )),
        (Kind::Text(_, TextRule::Certificates), Some(path)) => of_file(path),
        (Kind::Text(..) | Kind::Number(..) | Kind::Flag(_) | Kind::Switch(_), _) => {
            Ok(Zeroizing::new(value.to_owned()))
        }
    }
}

fn read(path: &Path) -> std::io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let size = File::open(path)?
        .take(LARGEST_FILE + 1)
        .read_to_string(&mut text)?;
    if size as u64 > LARGEST_FILE {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}

/// Names in any case, and the numbers of the REST API.
fn parse_provider(text: &str) -> Result<FilesystemProvider, String> {
    let named = NAMES.iter().find(|(name, provider)| {
        name.eq_ignore_ascii_case(text) || provider.number().to_string() == text
    });
    let named = named.map(|(_, provider)| *provider);
    named.ok_or_else(|| "expected local, s3, gcs or azure".to_owned())
}

fn name_of(provider: FilesystemProvider) -> &'static str {
    let mut names = NAMES.iter();
    let named = names.find(|(_, other)| *other == provider);
    named.map_or("local", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use sftpgo_model::Secret;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        flags: StoreFlags,
    }

    fn flags(arguments: &[&str]) -> StoreFlags {
        Line::try_parse_from([&["x"], arguments].concat())
            .unwrap()
            .flags
    }

    fn applied(arguments: &[&str]) -> Result<FilesystemConfig, String> {
        let mut config = FilesystemConfig::default();
        flags(arguments).apply(&mut config).map(|()| config)
    }

    #[test]
    fn every_setting_of_every_store_is_a_flag() {
        let command = StoreFlags::<false>::augment_args(Command::new("x"));
        for (_, field) in fields() {
            let arg = command
                .get_arguments()
                .find(|arg| arg.get_id() == field.flag);
            assert!(arg.unwrap().get_help().is_some(), "{}", field.flag);
        }
    }

    #[test]
    fn flags_change_what_they_name_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let secret = directory.path().join("secret");
        std::fs::write(&secret, "s3cret\n").unwrap();
        let at_secret = format!("@{}", secret.display());
        let mut config = applied(&[
            "--fs",
            "S3",
            "--s3-bucket",
            "b",
            "--s3-access-key",
            "k",
            "--s3-access-secret",
            &at_secret,
            "--s3-force-path-style",
            "true",
        ])
        .unwrap();
        assert_eq!(config.provider, FilesystemProvider::S3);
        assert_eq!(config.s3config.access_secret, Secret::from_text("s3cret"));
        assert!(config.s3config.force_path_style);
        flags(&["--s3-bucket", "other"]).apply(&mut config).unwrap();
        let s3 = &config.s3config;
        assert_eq!((s3.bucket.as_str(), s3.access_key.as_str()), ("other", "k"));
        flags(&["--s3-access-key", ""]).apply(&mut config).unwrap();
        assert!(config.s3config.access_secret.is_empty());
    }

    #[test]
    fn a_secret_on_the_command_line_is_refused_and_not_shown() {
        let arguments = ["--fs", "s3", "--s3-access-secret", "hunter2"];
        let said = applied(&arguments).unwrap_err();
        assert!(
            said.contains("@FILE") && !said.contains("hunter2"),
            "{said}"
        );
        assert!(!format!("{:?}", flags(&arguments)).contains("hunter2"));
    }

    #[derive(Debug, Parser)]
    struct Typed {
        #[command(flatten)]
        flags: StoreFlags<true>,
    }

    #[test]
    fn the_flags_of_the_references_portable_mode_work_as_they_are() {
        let arguments = [
            "x",
            "-f",
            "1",
            "--s3-bucket=b",
            "--s3-access-key",
            "k",
            "--s3-access-secret",
            "hunter2",
        ];
        let typed = Typed::try_parse_from(arguments).unwrap().flags;
        assert!(!format!("{typed:?}").contains("hunter2"));
        let mut config = FilesystemConfig::default();
        typed.apply(&mut config).unwrap();
        assert_eq!(config.s3config.access_secret, Secret::from_text("hunter2"));
        let arguments = [
            "x",
            "--fs-provider",
            "2",
            "--gcs-automatic-credentials",
            "1",
        ];
        let mut config = FilesystemConfig::default();
        Typed::try_parse_from(arguments)
            .unwrap()
            .flags
            .apply(&mut config)
            .unwrap();
        assert_eq!(config.gcsconfig.automatic_credentials, 1);
    }

    #[test]
    fn a_file_that_is_too_large_is_not_cut_off() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key.json");
        std::fs::write(&file, " ".repeat((1 << 20) + 1)).unwrap();
        let said = applied(&[
            "--fs",
            "gcs",
            "--gcs-credentials-file",
            file.to_str().unwrap(),
        ]);
        assert!(said.unwrap_err().contains("larger than 1 MiB"));
    }

    #[test]
    fn google_takes_the_credentials_of_its_surroundings_unless_there_is_a_file() {
        let automatic = |arguments: &[&str]| {
            let config = applied(&[&["--fs", "gcs"], arguments].concat()).unwrap();
            config.gcsconfig.automatic_credentials
        };
        assert_eq!(automatic(&[]), 1);
        assert_eq!(automatic(&["--gcs-automatic-credentials", "false"]), 0);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key.json");
        std::fs::write(&file, "{}").unwrap();
        let file = file.to_str().unwrap();
        assert_eq!(automatic(&["--gcs-credentials-file", file]), 0);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let said = applied(&["--fs", "s3", "--gcs-bucket", "b"]).unwrap_err();
        assert!(
            said.contains("--gcs-bucket") && said.contains("--fs-provider gcs"),
            "{said}"
        );
        let said = applied(&["--fs", "3", "--az-upload-part-size", "5M"]).unwrap_err();
        assert!(said.starts_with("--az-upload-part-size: \"5M\""), "{said}");
        let said = applied(&["--fs", "s3", "--s3-access-secret", "@/no/such"]).unwrap_err();
        assert!(said.contains("/no/such"), "{said}");
        assert!(Line::try_parse_from(["x", "--fs", "ftp"]).is_err());
    }
}
