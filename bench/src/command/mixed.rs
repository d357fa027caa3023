//! `mixed`: sessions that do a bit of everything for some minutes, and check all of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use futures_util::future::try_join_all;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::error::LoadError;
use crate::mixed::{Folder, Load, Tally, prepare, vanish, work};
use crate::report::with;
use crate::target::Target;

#[derive(Args)]
pub(crate) struct MixedArgs {
    /// Sessions at once, each in a directory of its own
    #[arg(long, default_value_t = 50)]
    sessions: u64,
    /// Clients beside them whose connections vanish in the midst of things
    #[arg(long, default_value_t = 4)]
    vanishing: u64,
    /// How long, in seconds
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Longest time of one operation, in seconds; one that takes longer hangs
    #[arg(long, default_value_t = 60)]
    deadline: u64,
    /// Seed of all that is random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What the server does not have
    #[arg(long, value_delimiter = ',')]
    without: Vec<Part>,
    /// Write a JSON object here: the path of every file that is left on the server, with its SHA-256
    #[arg(long)]
    manifest: Option<PathBuf>,
}

/// What can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Scp,
}

/// Runs the load. The figures are printed also if something failed.
pub(crate) async fn run(target: &Arc<Target>, args: &MixedArgs) -> Result<Value, LoadError> {
    prepare(target).await?;
    let begun = Instant::now();
    let load = Arc::new(Load {
        target: Arc::clone(target),
        seed: args.seed,
        end: begun + Duration::from_secs(args.seconds),
        deadline: Duration::from_secs(args.deadline),
        scp: !args.without.contains(&Part::Scp),
        tally: Mutex::new(Tally::default()),
    });
    let workers = (0..args.sessions).map(|n| tokio::spawn(work(Arc::clone(&load), n)));
    let vanishers = (0..args.vanishing).map(|n| tokio::spawn(vanish(Arc::clone(&load), n)));
    let vanishers: Vec<_> = vanishers.collect();
    let folders = try_join_all(workers).await?;
    try_join_all(vanishers).await?;
    let elapsed = begun.elapsed();
    if let Some(path) = &args.manifest {
        fs::write(path, manifest(&folders).to_string())?;
    }
    let tally = load.tally.lock();
    let about = json!({
        "mode": "mixed",
        "seed": args.seed,
        "sessions": args.sessions,
        "seconds": elapsed.as_secs_f64(),
    });
    let figures = with(about, tally.report());
    if tally.failures() == 0 {
        return Ok(figures);
    }
    println!("{figures}");
    Err(LoadError::Wrong(format!(
        "{} operations failed, with seed {}",
        tally.failures(),
        args.seed
    )))
}

/// What the directories of the sessions hold.
fn manifest(folders: &[Folder]) -> Value {
    let mut files = BTreeMap::new();
    for folder in folders {
        for (name, stored) in folder.files() {
            let path = format!("{}/{name}", folder.root);
            files.insert(path, stored.content.sha256(stored.size));
        }
    }
    json!(files)
}
