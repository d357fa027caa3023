//! `idle`: sessions that are logged in and do nothing, so that the server's memory can be read.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use sftpgo_wire::sftp::{Reply, client};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::channel::unexpected;
use crate::error::LoadError;
use crate::report::{frequency, with};
use crate::session::Session;
use crate::target::Target;

#[derive(Args)]
pub(crate) struct IdleArgs {
    #[arg(long, default_value_t = 2000)]
    sessions: u64,
    /// Logins at once
    #[arg(long, default_value_t = 16)]
    parallel: usize,
    /// Longest time to hold the sessions, in seconds
    #[arg(long, default_value_t = 600)]
    hold: u64,
}

/// Opens the sessions, says so in a line, holds them, and checks that each still answers.
pub(crate) async fn run(target: &Arc<Target>, args: &IdleArgs) -> Result<Value, LoadError> {
    let begun = Instant::now();
    let mut sessions: Vec<_> = stream::iter(0..args.sessions)
        .map(|_| Session::open(target))
        .buffer_unordered(args.parallel.max(1))
        .try_collect()
        .await?;
    let elapsed = begun.elapsed();
    println!("{}", json!({"ready": args.sessions}));
    std::io::stdout().flush()?;

    let _ = timeout(Duration::from_secs(args.hold), line_of_input()).await;
    for session in &mut sessions {
        let reply = session
            .sftp
            .call(|out, id| client::realpath(out, id, b"."))
            .await?;
        if !matches!(reply, Reply::Name { .. }) {
            return Err(unexpected("REALPATH", &reply));
        }
    }
    let parting = sessions.into_iter().map(Session::part);
    let parted = stream::iter(parting).buffer_unordered(args.parallel.max(1));
    let alive = parted.count().await;
    Ok(with(
        frequency("idle", args.sessions, elapsed),
        json!({"alive": alive}),
    ))
}

/// Waits for a line, or the end, of standard input. The thread that reads may stay behind; the process ends soon.
pub(super) async fn line_of_input() {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new());
        let _ = sender.send(());
    });
    let _ = receiver.await;
}
