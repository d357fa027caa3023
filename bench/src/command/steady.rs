//! `steady`: sessions that go on with their work while something else happens to the server, and say how long they waited.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use sftpgo_wire::sftp::{Reply, StatusCode, client};
use tokio::time::timeout;

use super::idle::line_of_input;
use super::list::check;
use crate::channel::{SftpChannel, handle_of, unexpected};
use crate::content::Content;
use crate::download::Reader;
use crate::error::LoadError;
use crate::histogram::Histogram;
use crate::report::{throughput, with};
use crate::session::Session;
use crate::target::Target;
use crate::upload::Job;

#[derive(Args)]
pub(crate) struct SteadyArgs {
    /// File on the server to download, as `make` laid it out
    file: String,
    /// Directory on the server to list, as `make` with `--files` laid it out
    dir: String,
    /// Bytes of the file
    #[arg(long, default_value_t = 4 << 20)]
    size: u64,
    /// Files in the directory
    #[arg(long, default_value_t = 1000)]
    files: u32,
    /// Sessions, each on a connection of its own
    #[arg(long, default_value_t = 4)]
    sessions: u64,
    /// READs in flight of a session
    #[arg(long, default_value_t = 4)]
    depth: usize,
    /// Milliseconds that a session does nothing between a round and the next
    #[arg(long, default_value_t = 0)]
    pause: u64,
    /// Longest time to go on, in seconds
    #[arg(long, default_value_t = 7200)]
    hold: u64,
}

/// What one session found.
#[derive(Default)]
struct Found {
    /// How long each request took to be answered.
    waits: Histogram,
    rounds: u64,
}

/// Opens the sessions, says so in a line, and works until a line, or the end, of standard input. The first wrong answer, or
/// none in time, ends the run without figures.
pub(crate) async fn run(target: &Arc<Target>, args: &SteadyArgs) -> Result<Value, LoadError> {
    let mut sessions = Vec::new();
    for _ in 0..args.sessions {
        sessions.push(Session::open(target).await?);
    }
    println!("{}", json!({"ready": args.sessions}));
    std::io::stdout().flush()?;
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let work = sessions
        .into_iter()
        .map(|session| work(session, args, &stop));
    let end = async {
        let _ = timeout(Duration::from_secs(args.hold), line_of_input()).await;
        stop.store(true, Ordering::Relaxed);
    };
    let work = try_join_all(work);
    tokio::pin!(work);
    // Who finds something wrong ends the run at once.
    let found = tokio::select! {
        found = &mut work => found,
        () = end => work.await,
    }?;
    let elapsed = begun.elapsed();
    let mut all = Found::default();
    for each in &found {
        all.waits.merge(&each.waits);
        all.rounds += each.rounds;
    }
    let bytes = args.size.saturating_mul(all.rounds);
    let more = json!({
        "sessions": args.sessions,
        "rounds": all.rounds,
        "answers": all.waits.total(),
        "answer_ms": all.waits.percentiles(),
    });
    Ok(with(throughput("steady", bytes, elapsed), more))
}

async fn work(
    mut session: Session,
    args: &SteadyArgs,
    stop: &AtomicBool,
) -> Result<Found, LoadError> {
    let job = Job {
        path: args.file.clone().into_bytes(),
        content: Content::new(1),
        size: args.size,
        request: 32_768,
        depth: args.depth.max(1),
    };
    let mut found = Found::default();
    while !stop.load(Ordering::Relaxed) {
        let channel = &mut session.sftp;
        receive(channel, &job, &mut found.waits).await?;
        list(channel, args, &mut found.waits).await?;
        found.rounds += 1;
        if args.pause > 0 {
            tokio::time::sleep(Duration::from_millis(args.pause)).await;
        }
    }
    session.part().await;
    Ok(found)
}

/// Notes how long something took that is one request and its answer.
async fn timed<T>(
    waits: &mut Histogram,
    call: impl Future<Output = Result<T, LoadError>>,
) -> Result<T, LoadError> {
    let begun = Instant::now();
    let done = call.await?;
    waits.add(begun.elapsed());
    Ok(done)
}

async fn receive(
    channel: &mut SftpChannel,
    job: &Job,
    waits: &mut Histogram,
) -> Result<(), LoadError> {
    let mut reader = timed(waits, Reader::open(channel, job)).await?;
    // When each READ was sent that is in flight. Answers come in the order of requests.
    let mut sent = VecDeque::new();
    while !reader.is_done() {
        reader.ask(channel);
        let now = Instant::now();
        sent.resize(reader.in_flight(), now);
        let reply = channel.reply().await?;
        if let Some(begun) = sent.pop_front() {
            waits.add(begun.elapsed());
        }
        reader.take(channel, reply)?;
    }
    let handle = reader.handle().clone();
    timed(waits, channel.close(&handle)).await
}

async fn list(
    channel: &mut SftpChannel,
    args: &SteadyArgs,
    waits: &mut Histogram,
) -> Result<(), LoadError> {
    let dir = args.dir.as_bytes();
    let open = channel.call(|out, id| client::opendir(out, id, dir));
    let handle = handle_of("OPENDIR", &timed(waits, open).await?)?;
    let mut names = Vec::new();
    loop {
        let read = channel.call(|out, id| client::readdir(out, id, &handle));
        let reply = timed(waits, read).await?;
        if let Reply::Name { entries, .. } = reply {
            names.extend(entries.into_iter().map(|entry| entry.filename));
        } else if matches!(reply, Reply::Status { code, .. } if code == StatusCode::Eof) {
            break;
        } else {
            return Err(unexpected("READDIR", &reply));
        }
    }
    timed(waits, channel.close(&handle)).await?;
    check(names, args.files)
}
