//! `sftpgo initprovider`: creates the schema of the data provider.

use std::process::ExitCode;

use super::{ConfigArgs, block_on, complain, exit_code, refuse, warn};
use crate::{app, telemetry};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn main(args: &Args) -> ExitCode {
    let settings = match args.config.load().and_then(|loaded| loaded.settings()) {
        Ok((settings, warnings)) => {
            warnings.iter().for_each(|warning| warn(warning));
            settings
        }
        Err(error) => return refuse(&error),
    };
    // The log file belongs to the server; this command talks to the terminal.
    let log = match telemetry::start_console() {
        Ok(log) => log,
        Err(error) => {
            complain(&error);
            return ExitCode::FAILURE;
        }
    };
    let code = exit_code(block_on(app::init_provider(&settings)));
    drop(log);
    code
}
