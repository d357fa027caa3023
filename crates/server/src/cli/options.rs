//! Options that several commands share.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::config::{Environment, Inputs, LoadError, Loaded, load};
use crate::telemetry::LogOptions;

/// Where the settings are.
#[derive(Debug, Clone, Args)]
pub struct ConfigArgs {
    /// Directory that is searched first for the settings file, and base directory of every
    /// relative path in the settings
    #[arg(
        short,
        long,
        value_name = "DIR",
        env = "SFTPGO_CONFIG_DIR",
        hide_env_values = true
    )]
    #[arg(default_value = ".", value_parser = path_parser())]
    pub config_dir: PathBuf,

    /// Name of the settings file without its extension
    #[arg(short = 'f', long, value_name = "NAME", env = "SFTPGO_CONFIG_FILE")]
    #[arg(hide_env_values = true, default_value = "sftpgo")]
    pub config_file: String,
}

impl ConfigArgs {
    /// Loads the settings with the environment of this process.
    ///
    /// # Errors
    /// As [`load`].
    pub fn load(&self) -> Result<Loaded, LoadError> {
        load(&Inputs {
            config_dir: self.config_dir.clone(),
            config_file: self.config_file.clone(),
            environment: Environment::of_process(),
        })
    }
}

/// Where the log goes.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Log file, relative to the configuration directory; empty writes the log to stdout
    #[arg(short, long, value_name = "FILE", env = "SFTPGO_LOG_FILE_PATH")]
    #[arg(hide_env_values = true, default_value = "sftpgo.log", value_parser = path_parser())]
    pub log_file_path: PathBuf,

    /// Size in megabytes above which the log file is rotated
    #[arg(short = 's', long, value_name = "MB", env = "SFTPGO_LOG_MAX_SIZE")]
    #[arg(hide_env_values = true, default_value_t = 10)]
    pub log_max_size: u32,

    /// How many rotated log files to keep; 0 keeps all
    #[arg(
        short = 'b',
        long,
        value_name = "COUNT",
        env = "SFTPGO_LOG_MAX_BACKUPS"
    )]
    #[arg(hide_env_values = true, default_value_t = 5)]
    pub log_max_backups: u32,

    /// Days to keep rotated log files; 0 keeps them for ever
    #[arg(short = 'a', long, value_name = "DAYS", env = "SFTPGO_LOG_MAX_AGE")]
    #[arg(hide_env_values = true, default_value_t = 28)]
    pub log_max_age: u32,

    /// Compress rotated log files with gzip
    #[arg(short = 'z', long, value_name = "BOOL", env = "SFTPGO_LOG_COMPRESS")]
    #[arg(hide_env_values = true, default_value = "false", value_parser = parse_flag)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(action = clap::ArgAction::Set)]
    pub log_compress: bool,

    /// Show debug messages on the console; the log always has them
    #[arg(short = 'v', long, value_name = "BOOL", env = "SFTPGO_LOG_VERBOSE")]
    #[arg(hide_env_values = true, default_value = "true", value_parser = parse_flag)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(action = clap::ArgAction::Set)]
    pub log_verbose: bool,
}

impl LogArgs {
    /// The options of the log; a relative file is below `config_dir`.
    #[must_use]
    pub fn resolve(&self, config_dir: &Path) -> LogOptions {
        let no_file = ["", ".", ".."]
            .iter()
            .any(|path| self.log_file_path == Path::new(path));
        LogOptions {
            file: (!no_file).then(|| config_dir.join(&self.log_file_path)),
            max_size: u64::from(self.log_max_size) * 1024 * 1024,
            max_backups: self.log_max_backups,
            max_age_days: self.log_max_age,
            compress: self.log_compress,
            verbose: self.log_verbose,
        }
    }
}

/// Unlike the parser of clap this one takes an empty path, which means something here.
pub(super) fn path_parser() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(|text: OsString| PathBuf::from(text))
}

/// `--flag`, `--flag=true`, `FLAG=1`, in the spellings of the reference.
pub(super) fn parse_flag(text: &str) -> Result<bool, String> {
    crate::config::parse_bool(text).ok_or_else(|| "expected true or false".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        config: ConfigArgs,
        #[command(flatten)]
        log: LogArgs,
    }

    fn log(arguments: &[&str]) -> LogOptions {
        let arguments = [&["serve"], arguments].concat();
        Command::try_parse_from(arguments)
            .unwrap()
            .log
            .resolve(Path::new("/conf"))
    }

    #[test]
    fn the_defaults_are_those_of_the_reference() {
        let command = Command::try_parse_from(["serve"]).unwrap();
        assert_eq!(command.config.config_dir, Path::new("."));
        assert_eq!(command.config.config_file, "sftpgo");
        let expected = LogOptions {
            file: Some("/conf/sftpgo.log".into()),
            max_size: 10 << 20,
            max_backups: 5,
            max_age_days: 28,
            compress: false,
            verbose: true,
        };
        assert_eq!(log(&[]), expected);
    }

    #[test]
    fn boolean_flags_take_an_optional_value() {
        for (arguments, compress, verbose) in [
            (&["-z"][..], true, true),
            (&["-zv"], true, true),
            (&["-vz"], true, true),
            (&["-z=1", "-v=0"], true, false),
            (&["--log-compress", "--log-verbose=false"], true, false),
            (&["--log-compress=TRUE", "--log-verbose=f"], true, false),
            (&["-z=false"], false, true),
        ] {
            let options = log(arguments);
            assert_eq!(
                (options.compress, options.verbose),
                (compress, verbose),
                "{arguments:?}"
            );
        }
    }

    #[test]
    fn every_spelling_of_a_value_works() {
        for arguments in [
            &["-s", "7"][..],
            &["-s7"],
            &["-s=7"],
            &["--log-max-size=7"],
            &["-zs7"],
        ] {
            assert_eq!(log(arguments).max_size, 7 << 20, "{arguments:?}");
        }
        assert_eq!(log(&["-b0", "-a0"]).max_backups, 0);
    }

    #[test]
    fn an_empty_log_file_means_stdout() {
        for path in ["", ".", ".."] {
            assert_eq!(log(&["-l", path]).file, None, "{path:?}");
        }
        assert_eq!(
            log(&["-l", "/var/log/x"]).file.as_deref(),
            Some(Path::new("/var/log/x"))
        );
    }
}
