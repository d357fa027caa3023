//! The command line: one file per sub-command.

mod delay;
mod idle;
mod intrude;
mod limit;
mod list;
mod local;
mod login;
mod many;
mod mixed;
mod small;
mod steady;

use std::sync::Arc;

use clap::{Parser, Subcommand};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::error::LoadError;
use crate::target::TargetArgs;

/// Drives an SFTP server and prints figures.
#[derive(Parser)]
#[command(name = "sftp-load", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    target: TargetArgs,
    /// Threads of the generator; more than one takes cores from the server
    #[arg(long, global = true, default_value_t = 1)]
    threads: usize,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Drive(Drive),
    /// Relay a TCP port and hold every byte back for a while, where the kernel has no netem
    Delay(delay::DelayArgs),
    /// Measure what a download costs at least on this machine, from its parts
    Limit(limit::LimitArgs),
    /// Write a local file, or a directory of small files
    Make(local::LocalArgs),
    /// Compare local files with what should be in them
    Check(local::LocalArgs),
}

/// What needs a server.
#[derive(Subcommand)]
enum Drive {
    /// Upload one file per session
    Put(many::TransferArgs),
    /// Download one file per session
    Get(many::TransferArgs),
    /// Download, stop reading half-way for a while, then go on
    Stall(many::StallArgs),
    /// Upload, and drop the connection half-way
    Vanish(many::TransferArgs),
    /// Upload or download many small files in one session
    Small(small::SmallArgs),
    /// List one directory of files, as `make` with `--files` lays it out
    List(list::ListArgs),
    /// Log in again and again
    Login(login::LoginArgs),
    /// Do a bit of everything in many sessions for some minutes, and check all of it
    Mixed(mixed::MixedArgs),
    /// Open sessions and hold them until a line, or the end, of standard input
    Idle(idle::IdleArgs),
    /// Download and list in some sessions until a line, or the end, of standard input, and say how long they waited
    Steady(steady::SteadyArgs),
    /// Connect many times at once without ever logging in
    Intrude(intrude::IntrudeArgs),
}

/// Runs the command and gives its figures.
pub(crate) fn run(cli: Cli) -> Result<Value, LoadError> {
    match cli.command {
        Command::Make(args) => local::make(&args),
        Command::Check(args) => local::check(&args),
        Command::Limit(args) => limit::run(&args),
        Command::Delay(args) => runtime(cli.threads)?.block_on(delay::run(&args)),
        Command::Drive(command) => runtime(cli.threads)?.block_on(drive(command, cli.target)),
    }
}

fn runtime(threads: usize) -> Result<Runtime, LoadError> {
    // Each session is a descriptor.
    raise_descriptor_limit();
    let mut builder = if threads > 1 {
        Builder::new_multi_thread()
    } else {
        Builder::new_current_thread()
    };
    Ok(builder
        .worker_threads(threads.max(1))
        .enable_all()
        .build()?)
}

async fn drive(command: Drive, target: TargetArgs) -> Result<Value, LoadError> {
    let target = Arc::new(target.resolve()?);
    match command {
        Drive::Put(args) => many::put(&target, &args).await,
        Drive::Get(args) => many::get(&target, &args).await,
        Drive::Stall(args) => many::stall(&target, &args).await,
        Drive::Vanish(args) => many::vanish(&target, &args).await,
        Drive::Small(args) => small::run(&target, &args).await,
        Drive::List(args) => list::run(&target, &args).await,
        Drive::Login(args) => login::run(&target, args).await,
        Drive::Mixed(args) => mixed::run(&target, &args).await,
        Drive::Idle(args) => idle::run(&target, &args).await,
        Drive::Steady(args) => steady::run(&target, &args).await,
        Drive::Intrude(args) => intrude::run(&target, &args).await,
    }
}

/// Takes as many descriptors as the system gives without asking.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // The old limit may do; if not, connecting fails and says so.
    let _ = setrlimit(Resource::Nofile, raised);
}
