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
fn path_parser() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(|text: OsString| PathBuf::from(text))
}

/// `--flag`, `--flag=true`, `FLAG=1`, in the spellings of the reference.
fn parse_flag(text: &str) -> Result<bool, String> {
    crate::config::parse_bool(text).ok_or_else(|| "expected true or false".to_owned())
}
