//! `small`: many small files in one session.

use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

use crate::error::LoadError;
use crate::report::{frequency, percentiles, with};
use crate::session::Session;
use crate::small::{Direction, Tree, small};
use crate::target::Target;

#[derive(Args)]
pub(crate) struct SmallArgs {
    direction: Direction,
    /// Directory on the server
    dir: String,
    /// Make the directory first
    #[arg(long)]
    mkdir: bool,
    #[arg(long, default_value_t = 10_000)]
    files: u32,
    /// Bytes per file
    #[arg(long, default_value_t = 4096)]
    size: u32,
    /// Files on their way at once
    #[arg(long, default_value_t = 64)]
    depth: usize,
}

/// Moves the files.
pub(crate) async fn run(target: &Arc<Target>, args: &SmallArgs) -> Result<Value, LoadError> {
    let tree = Tree {
        dir: args.dir.trim_end_matches('/').to_owned(),
        files: args.files,
        size: args.size,
        depth: args.depth.max(1),
    };
    let mut session = Session::open(target).await?;
    if args.mkdir {
        session.sftp.make_dir(tree.dir.as_bytes()).await?;
    }
    let begun = Instant::now();
    let took = small(&mut session.sftp, &tree, args.direction).await?;
    let elapsed = begun.elapsed();
    session.part().await;
    let mode = match args.direction {
        Direction::Put => "small-put",
        Direction::Get => "small-get",
    };
    let more = json!({"size": args.size, "file_ms": percentiles(took)});
    Ok(with(frequency(mode, u64::from(args.files), elapsed), more))
}
