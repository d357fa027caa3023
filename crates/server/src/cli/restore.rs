//! `sftpgo restore`: adds and updates the users of a dump.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sftpgo_model::{OfExisting, RestoreOptions, ScanAfter};

use super::{RemoteArgs, with};
use crate::app::{self, RestoreSource};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    remote: RemoteArgs,

    /// Dump to read; `-` reads stdin. With `--url`, the absolute path of a file on the server
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// What becomes of users that exist: 0 updates them, 1 leaves them as they are
    #[arg(long, value_name = "MODE", default_value = "0", value_parser = of_existing)]
    mode: OfExisting,

    /// Whose files are counted afterwards: 0 nobody's, 1 those of every restored user, 2 those of
    /// restored users with a limit
    #[arg(long, value_name = "WHOSE", default_value = "0", value_parser = scan_after)]
    scan_quota: ScanAfter,
}

impl Args {
    fn options(&self) -> RestoreOptions {
        RestoreOptions {
            existing: self.mode,
            scan: self.scan_quota,
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

fn of_existing(digit: &str) -> Result<OfExisting, &'static str> {
    OfExisting::from_digit(digit).ok_or("expected 0 or 1")
}

fn scan_after(digit: &str) -> Result<ScanAfter, &'static str> {
    ScanAfter::from_digit(digit).ok_or("expected 0, 1 or 2")
}

pub(super) fn main(args: &Args) -> ExitCode {
    with(args.remote.target(), |target| {
        app::restore_users(target, args.source(), args.options())
    })
}
