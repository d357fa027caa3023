//! `sftpgo restore`: adds and updates the users of a dump.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sftpgo_core::admin::{OfExisting, RestoreOptions, ScanAfter};

use super::{ConfigArgs, RemoteArgs, with};
use crate::app::{self, RestoreSource};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    remote: RemoteArgs,

    /// Dump to read; `-` reads stdin. With `--url`, the absolute path of a file on the server
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

pub(super) fn main(args: &Args) -> ExitCode {
    with(args.remote.target(&args.config), |target| {
        app::restore_users(target, args.source(), args.options())
    })
}
