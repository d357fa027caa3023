//! `sftpgo portable`: shares a directory or a bucket with one user, without settings, accounts or anything left behind
//! (reference 15).

mod list;

use std::io::Read as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use zeroize::Zeroizing;

use super::options::{parse_flag, path_parser};
use super::{StoreFlags, block_on, complain, exit_code};
use crate::app::AppError;
use crate::app::portable::{self, Share, Shared};
use crate::telemetry;
use sftpgo_core::model::FilesystemConfig;

/// A longer password is a file given by mistake.
const LONGEST_PASSWORD: u64 = 4096;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Directory to share; repeated, or given as `/NAME::DIR`, each is a folder of that name
    #[arg(short, long, value_name = "DIR", value_parser = path_parser())]
    directory: Vec<PathBuf>,

    /// Port of the server; 0 takes a free one from 49152 to 64151
    #[arg(short, long, value_name = "PORT", default_value_t = 0)]
    sftpd_port: u16,

    /// Address to listen on; without it everybody who reaches this machine can connect
    #[arg(long, value_name = "ADDRESS")]
    bind_address: Option<IpAddr>,

    /// SSH commands that may be run; `*` stands for all, scp among them
    #[arg(short = 'c', long, value_name = "COMMAND", value_delimiter = ',')]
    #[arg(default_value = "md5sum,sha1sum,cd,pwd")]
    ssh_commands: Vec<String>,

    /// Name of the user
    #[arg(short, long, value_name = "NAME", default_value = "")]
    #[arg(hide_default_value = true)]
    username: String,

    /// Password; other users of this machine can see it: better is --password-file
    #[arg(short, long, value_name = "PASSWORD", conflicts_with = "password_file")]
    password: Option<String>,

    /// File whose first line is the password; `-` reads stdin. With no password and no key one is made up
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// Log file; without it nothing is logged
    #[arg(short, long, value_name = "FILE", value_parser = path_parser())]
    log_file_path: Option<PathBuf>,

    /// Public key that may log in, as in authorized_keys, or `@FILE`; the flag may be repeated
    #[arg(short = 'k', long, value_name = "KEY")]
    public_key: Vec<String>,

    /// What the user may do; `*` stands for everything
    #[arg(short = 'g', long, value_name = "PERMISSION", value_delimiter = ',')]
    #[arg(default_value = "list,download", value_parser = list::permissions())]
    permissions: Vec<String>,

    /// Files that may be used in a directory: `/DIR::.jpg,.png`; the flag may be repeated
    #[arg(long, value_name = "DIR::EXT,EXT")]
    allowed_extensions: Vec<list::Extensions>,

    /// Files that may not: `/DIR::.exe`; the flag may be repeated
    #[arg(long, value_name = "DIR::EXT,EXT")]
    denied_extensions: Vec<list::Extensions>,

    /// Private host key, for a share that clients know again; without it a new one is made each time and kept in memory
    #[arg(long, value_name = "FILE")]
    host_key: Vec<PathBuf>,

    /// Tell the local network of the share (multicast DNS, `_sftp-ssh._tcp`)
    #[arg(short = 'S', long, value_name = "BOOL", default_value = "true", value_parser = parse_flag)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(action = clap::ArgAction::Set)]
    advertise_service: bool,

    /// Tell the local network name and password of the user as well: whoever hears it can log in
    #[arg(short = 'C', long, value_name = "BOOL", default_value = "false", value_parser = parse_flag)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(action = clap::ArgAction::Set)]
    advertise_credentials: bool,

    /// Where the files are
    #[command(flatten)]
    store: StoreFlags<true>,
}

pub(super) fn main(args: Args) -> ExitCode {
    let share = match args.share() {
        Ok(share) => share,
        Err(problem) => {
            complain(&problem);
            return ExitCode::FAILURE;
        }
    };
    let (feed, events) = portable::feed();
    let log = match telemetry::start_quiet(share.log_file.clone(), feed) {
        Ok(log) => log,
        Err(error) => {
            complain(&error);
            return ExitCode::FAILURE;
        }
    };
    telemetry::log_panics();
    let result = block_on(portable::run(share, events, log.handle()));
    drop(log);
    exit_code(result)
}

impl Args {
    /// Puts the flags together; reads the files that they name.
    fn share(self) -> Result<Share, AppError> {
        let mut store = FilesystemConfig::default();
        self.store.apply(&mut store).map_err(AppError)?;
        let shared = Shared::new(&self.directory, &store)?;
        let mut public_keys = Vec::new();
        for key in &self.public_key {
            public_keys.extend(list::keys(key)?);
        }
        let password = match (self.password, self.password_file) {
            (Some(password), _) => Some(Zeroizing::new(password)),
            (None, Some(file)) => Some(read_password(&file)?),
            (None, None) => None,
        };
        Ok(Share {
            shared,
            store,
            port: self.sftpd_port,
            address: self.bind_address,
            commands: self.ssh_commands,
            username: match self.username.as_str() {
                "" => "user".to_owned(),
                _ => self.username,
            },
            password: password.filter(|password| !password.is_empty()),
            public_keys,
            permissions: self.permissions,
            filters: list::filters(self.allowed_extensions, self.denied_extensions),
            host_keys: self.host_key,
            advertise: self.advertise_service,
            advertise_credentials: self.advertise_credentials,
            // An empty path is the reference's way to say no log.
            log_file: self
                .log_file_path
                .filter(|path| !path.as_os_str().is_empty())
                .map(std::path::absolute)
                .transpose()
                .map_err(|error| AppError(error.to_string()))?,
        })
    }
}

fn read_password(file: &std::path::Path) -> Result<Zeroizing<String>, AppError> {
    let source: Box<dyn std::io::Read> = if file.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        let opened = std::fs::File::open(file);
        Box::new(opened.map_err(|error| cannot_read(file, &error))?)
    };
    let mut text = Zeroizing::new(String::new());
    let read = source.take(LONGEST_PASSWORD + 1).read_to_string(&mut text);
    read.map_err(|error| cannot_read(file, &error))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() || text.len() as u64 > LONGEST_PASSWORD {
        return Err(AppError(format!(
            "--password-file {}: its first line must be the password",
            file.display()
        )));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

fn cannot_read(file: &std::path::Path, error: &std::io::Error) -> AppError {
    AppError(format!(
        "cannot read --password-file {}: {error}",
        file.display()
    ))
}
