//! `put`, `get`, `stall` and `vanish`: N sessions, one file each, all at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::content::Content;
use crate::download::{Stall, download};
use crate::error::LoadError;
use crate::report::{throughput, with};
use crate::session::Session;
use crate::socket::Cut;
use crate::target::Target;
use crate::upload::{Job, upload, upload_part};

#[derive(Args)]
pub(crate) struct TransferArgs {
    /// Path on the server; `{}` stands for the number of the session
    path: String,
    /// Bytes per file
    #[arg(long, default_value_t = 1 << 30)]
    size: u64,
    /// Seed of the content; with `{}` in the path each session adds its number
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Sessions, each on a connection of its own
    #[arg(long, default_value_t = 1)]
    sessions: u64,
    /// Bytes per request: a number, or 0 for as many as the server says it takes, up to 261120
    #[arg(long, default_value_t = 32_768)]
    request: u32,
    /// Requests in flight per session
    #[arg(long, default_value_t = 64)]
    depth: usize,
}

#[derive(Args)]
pub(crate) struct StallArgs {
    #[command(flatten)]
    transfer: TransferArgs,
    /// How long to stop reading, in seconds
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

/// A session that is logged in, and its file.
struct Worker {
    session: Session,
    job: Job,
    number: u64,
}

impl TransferArgs {
    /// Logs everyone in, which is not part of what is timed.
    async fn workers(&self, target: &Arc<Target>) -> Result<Vec<Worker>, LoadError> {
        let mut workers = Vec::new();
        for number in 0..self.sessions {
            let mut session = Session::open(target).await?;
            let job = self.job(&mut session, number).await?;
            workers.push(Worker {
                session,
                job,
                number,
            });
        }
        Ok(workers)
    }

    async fn job(&self, session: &mut Session, number: u64) -> Result<Job, LoadError> {
        const LONGEST: u64 = 261_120;
        let request = match self.request {
            0 => u32::try_from(session.sftp.max_request().await?.min(LONGEST)).unwrap_or(32_768),
            given => given,
        };
        Ok(Job {
            path: self.path.replace("{}", &number.to_string()).into_bytes(),
            content: self.content(number),
            size: self.size,
            request,
            depth: self.depth.max(1),
        })
    }

    fn content(&self, number: u64) -> Content {
        let own = self.path.contains("{}");
        Content::new(self.seed + if own { number } else { 0 })
    }

    fn bytes(&self) -> u64 {
        self.size.saturating_mul(self.sessions)
    }
}

/// Uploads.
pub(crate) async fn put(target: &Arc<Target>, args: &TransferArgs) -> Result<Value, LoadError> {
    let mut workers = args.workers(target).await?;
    let begun = Instant::now();
    try_join_all(
        workers
            .iter_mut()
            .map(|w| upload(&mut w.session.sftp, &w.job)),
    )
    .await?;
    let elapsed = begun.elapsed();
    let request = request_of(&workers);
    part(workers).await;
    let more = json!({"sessions": args.sessions, "request": request, "sha256": digest(args)});
    Ok(with(throughput("put", args.bytes(), elapsed), more))
}

/// Downloads.
pub(crate) async fn get(target: &Arc<Target>, args: &TransferArgs) -> Result<Value, LoadError> {
    receive(target, args, None).await
}

/// Downloads that stop half-way for a while.
pub(crate) async fn stall(target: &Arc<Target>, args: &StallArgs) -> Result<Value, LoadError> {
    let stall = Stall {
        after: args.transfer.size / 2,
        lasts: Duration::from_secs(args.seconds),
    };
    receive(target, &args.transfer, Some(stall)).await
}

async fn receive(
    target: &Arc<Target>,
    args: &TransferArgs,
    stall: Option<Stall>,
) -> Result<Value, LoadError> {
    let mut workers = args.workers(target).await?;
    let begun = Instant::now();
    let transfers = workers
        .iter_mut()
        .map(|w| download(&mut w.session.sftp, &w.job, stall));
    let short: u64 = try_join_all(transfers).await?.into_iter().sum();
    let elapsed = begun.elapsed();
    let request = request_of(&workers);
    part(workers).await;
    let mode = if stall.is_some() { "stall" } else { "get" };
    let more = json!({
        "sessions": args.sessions,
        "request": request,
        "short_reads": short,
        "sha256": digest(args),
    });
    Ok(with(throughput(mode, args.bytes(), elapsed), more))
}

/// Uploads that break off half-way: every other connection is closed, every other one is reset.
pub(crate) async fn vanish(target: &Arc<Target>, args: &TransferArgs) -> Result<Value, LoadError> {
    let mut workers = args.workers(target).await?;
    let half = args.size / 2;
    let begun = Instant::now();
    let parts = workers
        .iter_mut()
        .map(|w| upload_part(&mut w.session.sftp, &w.job, half));
    try_join_all(parts).await?;
    let elapsed = begun.elapsed();
    for worker in workers {
        let how = if worker.number % 2 == 0 {
            Cut::Close
        } else {
            Cut::Reset
        };
        worker.session.vanish(how).await;
    }
    let bytes = half.saturating_mul(args.sessions);
    Ok(with(
        throughput("vanish", bytes, elapsed),
        json!({"sessions": args.sessions}),
    ))
}

async fn part(workers: Vec<Worker>) {
    for worker in workers {
        worker.session.part().await;
    }
}

fn request_of(workers: &[Worker]) -> u32 {
    workers.first().map_or(0, |worker| worker.job.request)
}

/// The digest of the first session's file, for whoever wants to check it by other means.
fn digest(args: &TransferArgs) -> String {
    args.content(0).sha256(args.size)
}
