//! `sftpgo serve`: runs the server in the foreground.

use std::process::ExitCode;

use super::{ConfigArgs, LogArgs, block_on, complain, refuse};
use crate::app::{self, ServeOptions, ServiceManager};
use crate::telemetry;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    log: LogArgs,
}

pub(super) fn main(args: Args) -> ExitCode {
    let loaded = match args.config.load() {
        Ok(loaded) => loaded,
        Err(error) => return refuse(&error),
    };
    let settings_file = loaded.file().map(ToOwned::to_owned);
    let (settings, warnings) = match loaded.settings() {
        Ok(resolved) => resolved,
        Err(error) => return refuse(&error),
    };
    let log_options = args.log.resolve(&settings.config_dir);
    let greet = log_options.file.is_some();
    let log = match telemetry::start(log_options) {
        Ok(log) => log,
        Err(error) => {
            complain(&error);
            return ExitCode::FAILURE;
        }
    };
    telemetry::log_panics();
    sftpgo_http::keep_stacks_of_panics();
    for warning in &warnings {
        tracing::warn!(sender = "config", "{warning}");
    }
    let manager = match ServiceManager::of_process() {
        Ok(manager) => manager,
        Err(error) => {
            tracing::error!(sender = "service", "{error}");
            return ExitCode::FAILURE;
        }
    };
    let options = ServeOptions {
        settings_file,
        log: log.handle(),
        greet,
        manager,
    };
    // The guard outlives the runtime, so that the last lines of every task are written.
    let result = block_on(app::serve(settings, options));
    let code = match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // On the console too, or on stdout if that is the log.
            tracing::error!(sender = "service", "{error}");
            ExitCode::FAILURE
        }
    };
    drop(log);
    code
}
