//! `sftpgo config check`.

use std::process::ExitCode;

use crate::cli::{ConfigArgs, print, refuse, warn};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn main(args: &Args) -> ExitCode {
    let loaded = match args.config.load() {
        Ok(loaded) => loaded,
        Err(error) => return refuse(&error),
    };
    let file = loaded.file().map(|path| format!(" of {}", path.display()));
    match loaded.settings() {
        Ok((_, warnings)) => {
            warnings.iter().for_each(|warning| warn(warning));
            print(&format!(
                "The settings{} can be used.\n",
                file.unwrap_or_default()
            ))
        }
        Err(error) => refuse(&error),
    }
}
