//! The thread that writes. Changes that wait are done together and are on the disk with one write; those that need not
//! be there at once reach it together a moment later.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::thread;
use std::time::{Duration, Instant};

use redb::Durability;
use tokio::sync::oneshot;

use super::store::Store;
use super::tables::WriteTables;
use crate::error::{DataError, DataErrorKind, DataResult};
use crate::gate;
use crate::kv::engine::{Lasting, WriteTable};

/// Counters and times are on the disk this much later, at most.
const SAVE_AFTER: Duration = Duration::from_millis(500);
/// Changes that are done together.
const TOGETHER: usize = 256;
/// Changes that wait, those included whose callers have given up.
const WAITING: usize = 2048;
/// Between two attempts to open a file again that failed.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The way to the thread. Dropping it ends the thread when what waits is done.
#[derive(Debug)]
pub(super) struct Writer {
    messages: SyncSender<Message>,
}

enum Message {
    Change(Box<dyn Job>),
    End(oneshot::Sender<()>),
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(store: Arc<Store>) -> io::Result<Self> {
        let (messages, receiver) = sync_channel(WAITING);
        let thread = WriterThread {
            store,
            save_at: None,
            retry_at: None,
        };
        thread::Builder::new()
            .name("bolt".to_owned())
            .spawn(move || thread.run(&receiver))?;
        Ok(Self { messages })
    }

    /// Does a change and waits until it lasts as it must.
    pub(super) async fn change<T, C>(&self, lasting: Lasting, change: C) -> DataResult<T>
    where
        T: Send + 'static,
        C: FnOnce(&mut dyn WriteTable) -> DataResult<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Change {
            lasting,
            change: Some(change),
            result: None,
            reply,
        });
        self.messages
            .try_send(Message::Change(job))
            .map_err(|error| match error {
                TrySendError::Full(_) => unavailable("the data provider has too much to do"),
                TrySendError::Disconnected(_) => gate::closed(),
            })?;
        answer
            .await
            .unwrap_or_else(|_| Err(unavailable("the change failed; the log says more")))
    }

    /// Ends the thread when what waits is done, and the file is closed. The caller has a deadline.
    pub(super) async fn end(&self) {
        let (ended, end) = oneshot::channel();
        let mut message = Message::End(ended);
        while let Err(TrySendError::Full(refused)) = self.messages.try_send(message) {
            message = refused;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // An error means that the thread is gone already.
        let _ = end.await;
    }
}

fn unavailable(what: &str) -> DataError {
    DataError::new(DataErrorKind::Unavailable, what)
}

/// One failure, told to several callers.
fn copy(error: &DataError) -> DataError {
    DataError::new(error.kind(), error.to_string())
}

/// A change on its way.
trait Job: Send {
    fn lasting(&self) -> Lasting;

    /// Whether somebody waits for it. What nobody waits for is not begun: its caller has reported a failure.
    fn is_wanted(&self) -> bool;

    /// Does it, and keeps what it says for the answer.
    fn run(&mut self, table: &mut dyn WriteTable) -> DataResult<()>;

    /// Tells the caller.
    fn answer(self: Box<Self>, committed: DataResult<()>);
}

struct Change<T, C> {
    lasting: Lasting,
    change: Option<C>,
    result: Option<DataResult<T>>,
    reply: oneshot::Sender<DataResult<T>>,
}

impl<T, C> Job for Change<T, C>
where
    T: Send,
    C: FnOnce(&mut dyn WriteTable) -> DataResult<T> + Send,
{
    fn lasting(&self) -> Lasting {
        self.lasting
    }

    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn run(&mut self, table: &mut dyn WriteTable) -> DataResult<()> {
        self.result = self.change.take().map(|change| change(table));
        match &self.result {
            Some(Err(error)) => Err(copy(error)),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    fn answer(self: Box<Self>, committed: DataResult<()>) {
        let Self { result, reply, .. } = *self;
        let result = committed.and_then(|()| result.unwrap_or_else(|| Err(gate::closed())));
        // Nobody may be waiting any more.
        let _ = reply.send(result);
    }
}

struct WriterThread {
    store: Arc<Store>,
    /// When the oldest change that is not on the disk has to be there.
    save_at: Option<Instant>,
    /// When a file that failed is opened again.
    retry_at: Option<Instant>,
}

/// What comes next.
enum Next {
    Change(Box<dyn Job>),
    End(Option<oneshot::Sender<()>>),
    Nothing,
}

impl WriterThread {
    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let mut jobs = Vec::new();
            let mut next = self.wait(messages);
            while let Next::Change(job) = next {
                jobs.push(job);
                if jobs.len() == TOGETHER {
                    next = Next::Nothing;
                } else {
                    next = look(messages);
                }
            }
            // redb panics over a file that somebody damaged. The callers of these changes see a failure then; the file is
            // opened again, which checks it.
            if catch_unwind(AssertUnwindSafe(|| self.work(jobs))).is_err() {
                self.store.faults().set_broken();
                self.save_at = None;
            }
            if let Next::End(ended) = next {
                self.store.close();
                // The caller's patience may have ended.
                let _ = ended.map(|ended| ended.send(()));
                return;
            }
        }
    }

    /// Waits for a message, or until something has to be saved.
    fn wait(&self, messages: &Receiver<Message>) -> Next {
        let received = match self.save_at {
            None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => messages.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        match received {
            Ok(Message::Change(job)) => Next::Change(job),
            Ok(Message::End(ended)) => Next::End(Some(ended)),
            Err(RecvTimeoutError::Disconnected) => Next::End(None),
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
        }
    }

    /// Does the changes and tells their callers.
    fn work(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        jobs.retain(|job| job.is_wanted());
        let save = self.save_at.is_some_and(|at| at <= Instant::now());
        if jobs.is_empty() && !save {
            return;
        }
        let done = self.mend().and_then(|()| self.change(&mut jobs, save));
        if let Err(error) = &done
            && self.store.faults().is_broken()
            && self.save_at.take().is_some()
        {
            tracing::error!("counters and last logins of the last moment were not saved: {error}");
        }
        for job in jobs {
            job.answer(done.as_ref().copied().map_err(copy));
        }
    }

    /// Opens the file again if that is needed, now and then.
    fn mend(&mut self) -> DataResult<()> {
        if !self.store.faults().is_broken() {
            return Ok(());
        }
        let now = Instant::now();
        if self.retry_at.is_some_and(|at| now < at) {
            let what = "it failed and is opened again in a moment";
            return Err(self.store.faults().error(DataErrorKind::Unavailable, what));
        }
        self.retry_at = Some(now + RETRY_AFTER);
        self.save_at = None;
        self.store.reopen()
    }

    fn change(&mut self, jobs: &mut [Box<dyn Job>], save: bool) -> DataResult<()> {
        let faults = self.store.faults();
        let mut transaction = self.store.begin()?;
        let (mut changed, mut lasting) = (false, save);
        {
            let mut tables = WriteTables::open(&transaction, faults)?;
            for job in jobs {
                tables.changed = false;
                let ran = job.run(&mut tables);
                if tables.changed {
                    // Half a change must not last, and cannot be told from those before it.
                    ran?;
                }
                changed |= tables.changed;
                lasting |= tables.changed && job.lasting() == Lasting::Now;
            }
        }
        if !changed && !save {
            return Ok(());
        }
        if lasting {
            // Costs a second sync. Without it, opening the file after a crash reads all of it: 20 s for a million users.
            transaction.set_quick_repair(true);
        } else {
            transaction
                .set_durability(Durability::None)
                .map_err(|error| faults.classify(error))?;
        }
        transaction.commit().map_err(|error| {
            faults.set_broken();
            faults.classify(error)
        })?;
        self.save_at = match self.save_at {
            _ if lasting => None,
            None => Some(Instant::now() + SAVE_AFTER),
            later => later,
        };
        Ok(())
    }
}

/// A message that is there already.
fn look(messages: &Receiver<Message>) -> Next {
    match messages.try_recv() {
        Ok(Message::Change(job)) => Next::Change(job),
        Ok(Message::End(ended)) => Next::End(Some(ended)),
        Err(TryRecvError::Disconnected) => Next::End(None),
        Err(TryRecvError::Empty) => Next::Nothing,
    }
}
