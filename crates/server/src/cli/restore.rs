//! `sftpgo restore`: adds and updates the users of a dump.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sftpgo_core::admin::{OfExisting, RestoreOptions, ScanAfter};

use super::{ConfigArgs, block_on, exit_code, refuse, warn};
use crate::app::{self, RestoreSource};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,

    /// Dump to read; `-` reads stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// What becomes of users that exist: 0 updates them, 1 leaves them as they are
    #[arg(long, value_name = "MODE", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=1))]
    mode: u8,

    /// Whose files are counted afterwards: 0 nobody's, 1 those of every restored user, 2 those of
    /// restored users with a limit
    #[arg(long, value_name = "WHOSE", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=2))]
    scan_quota: u8,
}

impl Args {
    fn options(&self) -> RestoreOptions {
        RestoreOptions {
            existing: match self.mode {
                0 => OfExisting::Replaced,
                1.. => OfExisting::Kept,
            },
            scan: match self.scan_quota {
                0 => ScanAfter::Nobody,
                1 => ScanAfter::Everybody,
                2.. => ScanAfter::Limited,
            },
        }
    }

    fn source(&self) -> RestoreSource {
        if self.file == Path::new("-") {
            RestoreSource::Stdin
        } else {
            RestoreSource::File(self.file.clone())
        }
    }
}

pub(super) fn main(args: Args) -> ExitCode {
    match args.config.load().and_then(|loaded| loaded.settings()) {
        Ok((settings, warnings)) => {
            warnings.iter().for_each(|warning| warn(warning));
            let restored = app::restore_users(&settings, args.source(), args.options());
            exit_code(block_on(restored))
        }
        Err(error) => refuse(&error),
    }
}
