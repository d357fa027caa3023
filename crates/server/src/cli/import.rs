//! `sftpgo import`: users and host keys of other servers.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;

use super::{ConfigArgs, block_on, exit_code, refuse, warn};
use crate::app;

/// Where users come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImportSource {
    /// Linux users: `[PASSWD [SHADOW]]`, else /etc/passwd and /etc/shadow, and the keys in the homes
    Linux,
    /// Virtual users of ProFTPD: `AUTH_USER_FILE [AUTH_GROUP_FILE]`
    Proftpd,
    /// Virtual users of Pure-FTPd: `[PASSWD]`, else /etc/pure-ftpd/pureftpd.passwd
    PureFtpd,
    /// A dump of SFTPGo 0.9 or 2: `DUMP`, or `-` for stdin
    ReferenceDump,
    /// A database file of SFTPGo 0.9, SQLite or bolt: `FILE`
    ReferenceDb,
    /// No users, host keys only: `DIR...`, as with --host-keys
    HostKeys,
}

/// What becomes of users that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Existing {
    /// They stay as they are
    Keep,
    /// They become what the source says, but for used quota and last login
    Update,
    /// They are failures
    Fail,
}

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    #[command(flatten)]
    config: ConfigArgs,

    /// What to read
    pub source: ImportSource,

    /// Files of the source
    #[arg(value_name = "FILES")]
    pub files: Vec<PathBuf>,

    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// What becomes of users that are there already
    #[arg(long, value_enum, default_value_t = Existing::Keep)]
    pub existing: Existing,

    /// Import this user only; the flag may be repeated
    #[arg(long, value_name = "USER")]
    pub only: Vec<String>,

    /// Absolute directory in which each user gets the home `DIR/USER`, in place of its old home
    #[arg(long, value_name = "DIR")]
    pub home_base: Option<PathBuf>,

    /// linux: least user id that is imported
    #[arg(long, value_name = "UID", default_value_t = 1000)]
    pub min_uid: u32,

    /// linux: greatest user id that is imported
    #[arg(long, value_name = "UID", default_value_t = 60_000)]
    pub max_uid: u32,

    /// linux, proftpd: where the files of the other system are, if that is not this one
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,

    /// linux, proftpd: key files of a user, below its home or absolute, with `%u` for its name and
    /// `%h` for its home, as in AuthorizedKeysFile of OpenSSH; the flag may be repeated. With linux
    /// it is .ssh/authorized_keys and .ssh/authorized_keys2 if nothing is said
    #[arg(long, value_name = "PATTERN")]
    pub authorized_keys: Vec<String>,

    /// reference-db: name of the table of users in a SQLite database
    #[arg(long, value_name = "NAME", default_value = "users")]
    pub users_table: String,

    /// Directory of the other server whose host keys are taken along; the flag may be repeated
    #[arg(long, value_name = "DIR")]
    pub host_keys: Vec<PathBuf>,

    /// Replace host keys of this server that differ
    #[arg(long)]
    pub force: bool,
}

pub(super) fn main(args: ImportArgs) -> ExitCode {
    match args.config.load().and_then(|loaded| loaded.settings()) {
        Ok((settings, warnings)) => {
            warnings.iter().for_each(|warning| warn(warning));
            exit_code(block_on(app::import(&settings, args)))
        }
        Err(error) => refuse(&error),
    }
}
