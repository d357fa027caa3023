//! `sftpgo man DIR`: a manual page for each command, from the same definitions as the help texts.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Command;
use clap_mangen::Man;

use super::{command, exit_code, print};
use crate::version;

/// What the page of the program says beyond its commands.
const PROGRAM: &str = include_str!("man/sftpgo.roff");
/// What the page of `serve` says beyond its flags.
const SERVE: &str = include_str!("man/serve.roff");

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Directory for the pages, which is made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

pub(super) fn main(args: &Args) -> ExitCode {
    let directory = &args.directory;
    match write_pages(directory) {
        Ok(count) => print(&format!("{count} pages in {}\n", directory.display())),
        Err(error) => exit_code(Err(error)),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
struct PageError {
    path: PathBuf,
    source: io::Error,
}

fn write_pages(directory: &Path) -> Result<usize, PageError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| PageError { path, source }
    };
    std::fs::create_dir_all(directory).map_err(failed(directory))?;
    let mut program = command().disable_help_subcommand(true);
    // Gives commands their full names.
    program.build();
    let mut pages = Vec::new();
    collect(&program, &mut pages);
    for page in &pages {
        let path = directory.join(format!("{}.1", page.name));
        let text = page.text().map_err(failed(&path))?;
        std::fs::write(&path, text).map_err(failed(&path))?;
    }
    Ok(pages.len())
}

/// The manual page of a command.
struct Page {
    /// As in `sftpgo-user-add`.
    name: String,
    command: Command,
}

fn collect(command: &Command, pages: &mut Vec<Page>) {
    let name = command.get_display_name().unwrap_or(command.get_name());
    pages.push(Page {
        name: name.to_owned(),
        command: command.clone(),
    });
    for inner in command.get_subcommands() {
        collect(inner, pages);
    }
}

impl Page {
    fn text(&self) -> io::Result<Vec<u8>> {
        let man = Man::new(self.command.clone())
            .title(self.name.to_uppercase())
            .section("1")
            .source(format!("SFTPGo {}", version::VERSION))
            .manual("SFTPGo");
        let mut text = Vec::new();
        man.render_title(&mut text)?;
        man.render_name_section(&mut text)?;
        man.render_synopsis_section(&mut text)?;
        man.render_description_section(&mut text)?;
        if self.command.get_arguments().next().is_some() {
            man.render_options_section(&mut text)?;
        }
        if self.command.has_subcommands() {
            man.render_subcommands_section(&mut text)?;
        }
        let more = match self.name.as_str() {
            "sftpgo" => PROGRAM,
            "sftpgo-serve" => SERVE,
            _ => ".SH SEE ALSO\n.BR sftpgo (1)\n",
        };
        text.extend_from_slice(more.as_bytes());
        Ok(text)
    }
}
