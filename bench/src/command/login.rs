//! `login`: connect, log in, part; many times, several at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::error::LoadError;
use crate::report::{frequency, percentiles, with};
use crate::session::Session;
use crate::target::Target;

#[derive(Args)]
pub(crate) struct LoginArgs {
    /// Logins in all
    #[arg(long, default_value_t = 1000)]
    count: u64,
    /// Logins at once
    #[arg(long, default_value_t = 32)]
    parallel: u64,
    /// Open an SFTP session each time, too
    #[arg(long)]
    sftp: bool,
}

/// Logs in.
pub(crate) async fn run(target: &Arc<Target>, args: LoginArgs) -> Result<Value, LoadError> {
    let left = Arc::new(AtomicU64::new(args.count));
    let begun = Instant::now();
    let loops = (0..args.parallel.max(1)).map(|_| {
        tokio::spawn(log_in_and_out(
            Arc::clone(target),
            Arc::clone(&left),
            args.sftp,
        ))
    });
    let loops = try_join_all(loops).await?;
    let elapsed = begun.elapsed();
    let took: Result<Vec<_>, LoadError> = loops.into_iter().collect();
    let took = took?.concat();
    let more = json!({
        "parallel": args.parallel,
        "sftp": args.sftp,
        "login_ms": percentiles(took),
    });
    Ok(with(frequency("login", args.count, elapsed), more))
}

async fn log_in_and_out(
    target: Arc<Target>,
    left: Arc<AtomicU64>,
    sftp: bool,
) -> Result<Vec<Duration>, LoadError> {
    let take_one = |left: u64| left.checked_sub(1);
    let mut took = Vec::new();
    while left
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take_one)
        .is_ok()
    {
        let begun = Instant::now();
        let login = target.login().await?;
        if sftp {
            let session = Session::over(&target, login).await?;
            took.push(begun.elapsed());
            session.part().await;
        } else {
            took.push(begun.elapsed());
            login.part().await;
        }
    }
    Ok(took)
}
