//! The loop of one session: connect, do some things, part, again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::operation::Operation;
use super::random::Random;
use super::{Folder, Load};
use crate::error::LoadError;
use crate::session::Session;

/// After so many failures a session gives up: the run has failed anyway.
const MOST_FAILURES: u64 = 10;

/// A session at work.
pub(super) struct Worker {
    pub(super) load: Arc<Load>,
    pub(super) number: u64,
    pub(super) random: Random,
    pub(super) folder: Folder,
    pub(super) session: Session,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy)]
struct Begin {
    /// The directory must be made.
    fresh: bool,
    /// Only to look at every file once more.
    last: bool,
}

/// Works until the end of the run, then looks at every file once more. What the directory holds at last.
pub(crate) async fn work(load: Arc<Load>, number: u64) -> Folder {
    let mut random = Random::new(load.seed.wrapping_mul(1_000_003).wrapping_add(number));
    let mut folder = Folder::new(format!("/m{number}"));
    let mut fresh = true;
    let mut failures = 0;
    while failures < MOST_FAILURES {
        let last = Instant::now() >= load.end;
        let begin = Begin { fresh, last };
        let (left, failed) = one_connection(&load, number, &mut random, folder, begin).await;
        folder = left;
        fresh = failed;
        if failed {
            // What the server holds now is not known; begin anew elsewhere.
            failures += 1;
            folder = Folder::new(format!("/m{number}-{failures}"));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        if last {
            break;
        }
    }
    folder
}

/// One connection, with some operations; the folder, and whether anything failed.
async fn one_connection(
    load: &Arc<Load>,
    number: u64,
    random: &mut Random,
    folder: Folder,
    begin: Begin,
) -> (Folder, bool) {
    let who = format!("session {number}");
    let begun = Instant::now();
    let session = match bounded(load, Session::open(&load.target)).await {
        Ok(session) => session,
        Err(error) => {
            load.tally.lock().failed(&who, "connect", &error);
            return (folder, true);
        }
    };
    {
        let mut tally = load.tally.lock();
        tally.connections += 1;
        tally.done("connect", begun.elapsed());
    }
    let mut worker = Worker {
        load: Arc::clone(load),
        number,
        random: random.clone(),
        folder,
        session,
    };
    let failed = worker.run(&who, begin).await;
    *random = worker.random;
    worker.session.part().await;
    (worker.folder, failed)
}

/// Waits for `work` as long as an operation may take.
pub(super) async fn bounded<T>(
    load: &Load,
    work: impl Future<Output = Result<T, LoadError>>,
) -> Result<T, LoadError> {
    timeout(load.deadline, work)
        .await
        .unwrap_or(Err(LoadError::Late(load.deadline)))
}

impl Worker {
    /// Some operations, or at the end of the run a look at every file; whether anything failed.
    async fn run(&mut self, who: &str, begin: Begin) -> bool {
        let load = Arc::clone(&self.load);
        if begin.fresh {
            let made = bounded(&load, self.make_folder()).await;
            if let Err(error) = made {
                load.tally.lock().failed(who, "mkdir", &error);
                return true;
            }
        }
        let count = 5 + self.random.below(60);
        for _ in 0..count {
            if Instant::now() >= load.end {
                break;
            }
            let operation = Operation::choose(&mut self.random, load.scp);
            let begun = Instant::now();
            let result = bounded(&load, operation.perform(self)).await;
            let mut tally = load.tally.lock();
            match result {
                Ok(()) => tally.done(operation.name(), begun.elapsed()),
                Err(error) => {
                    tally.failed(who, operation.name(), &error);
                    return true;
                }
            }
        }
        if !begin.last {
            return false;
        }
        let begun = Instant::now();
        let verified = self.verify().await;
        let mut tally = load.tally.lock();
        match &verified {
            Ok(()) => tally.done("look at all files at the end", begun.elapsed()),
            Err(error) => tally.failed(who, "look at all files at the end", error),
        }
        verified.is_err()
    }

    async fn make_folder(&mut self) -> Result<(), LoadError> {
        let root = self.folder.root.clone();
        self.session.sftp.make_dir(root.as_bytes()).await
    }

    pub(super) fn count_sent(&self, bytes: u64) {
        self.load.tally.lock().sent += bytes;
    }

    pub(super) fn count_received(&self, bytes: u64) {
        self.load.tally.lock().received += bytes;
    }
}
