//! Threads that each run their connections from beginning to end.
//!
//! A connection is several tasks that hand each other bytes: the one that reads, decrypts, encrypts and writes, and those that
//! do the work. On a runtime that balances tasks over threads each handover may wake another core, which costs more than the
//! work of a packet. Here all tasks of a connection share a thread, so a handover is a function call, batches grow by
//! themselves, and caches stay warm. New connections go to the thread that has been least busy.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::pace::Pace;

type Job = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// How often a thread looks how busy it was.
const PERIOD: Duration = Duration::from_millis(250);

/// A set of threads for connections. When it is dropped each thread ends with its last connection.
#[derive(Debug)]
pub struct Workers {
    threads: Vec<Worker>,
    next: AtomicUsize,
    pace: Arc<Pace>,
}

#[derive(Debug)]
struct Worker {
    jobs: mpsc::UnboundedSender<Job>,
    load: Arc<Load>,
}

#[derive(Debug)]
struct Load {
    started: Instant,
    connections: AtomicUsize,
    /// Nanoseconds since `started` when the thread last woke up.
    woke: AtomicU64,
    /// Nanoseconds it was awake since the last look.
    awake: AtomicU64,
    /// Whether it is awake now.
    is_awake: AtomicBool,
    /// Tenths of the last period that it was awake, smoothed.
    busy: AtomicU64,
}

impl Load {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            connections: AtomicUsize::new(0),
            woke: AtomicU64::new(0),
            awake: AtomicU64::new(0),
            is_awake: AtomicBool::new(true),
            busy: AtomicU64::new(0),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn wake(&self) {
        self.woke.store(self.now(), Ordering::Relaxed);
        self.is_awake.store(true, Ordering::Relaxed);
    }

    fn park(&self) {
        let since = self.now().saturating_sub(self.woke.load(Ordering::Relaxed));
        self.awake.fetch_add(since, Ordering::Relaxed);
        self.is_awake.store(false, Ordering::Relaxed);
    }

    fn look(&self) {
        let awake = self.awake.swap(0, Ordering::Relaxed);
        let tenths = awake.saturating_mul(10) / u64::try_from(PERIOD.as_nanos()).unwrap_or(1);
        let before = self.busy.load(Ordering::Relaxed);
        self.busy
            .store((before + tenths.min(10)).div_ceil(2), Ordering::Relaxed);
    }

    /// Lower is freer: first how busy the thread was, then how many connections it has.
    fn rank(&self) -> (u64, usize) {
        let busy = self.busy.load(Ordering::Relaxed);
        (busy, self.connections.load(Ordering::Relaxed))
    }
}

impl Workers {
    /// Starts `count` threads, at least one.
    ///
    /// # Errors
    /// The system gives no thread or no event queue.
    pub fn start(count: usize) -> io::Result<Arc<Self>> {
        let threads = (0..count.max(1))
            .map(Worker::start)
            .collect::<io::Result<_>>()?;
        Ok(Arc::new(Self {
            threads,
            next: AtomicUsize::new(0),
            pace: Pace::new(count),
        }))
    }

    /// Whose turn it is among new connections.
    pub fn pace(&self) -> &Arc<Pace> {
        &self.pace
    }

    /// Runs the future that `make` gives on the thread that is least busy, and waits for its end. `make` is called on that
    /// thread, inside its runtime, so it can register sockets there.
    pub async fn run<F, M>(&self, make: M)
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(worker) = self.choose() else { return };
        let load = Arc::clone(&worker.load);
        load.connections.fetch_add(1, Ordering::Relaxed);
        let (done, ended) = oneshot::channel::<()>();
        let job: Job = Box::new(move || {
            let work = make();
            Box::pin(async move {
                work.await;
                drop(done);
            })
        });
        if worker.jobs.send(job).is_ok() {
            // Ends with an error in either case: nothing is ever sent, the other side is dropped at the end, or by a panic.
            let _ = ended.await;
        }
        load.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// Waits until every thread has run something. One that is stuck is waited for without end: the caller has a deadline.
    pub async fn all_answer(&self) {
        let answers: Vec<_> = self.threads.iter().map(Worker::answer).collect();
        for answer in answers {
            // An error says the same, that the thread came to it.
            let _ = answer.await;
        }
    }

    fn choose(&self) -> Option<&Worker> {
        // Threads of equal rank take turns.
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let count = self.threads.len();
        (0..count)
            .filter_map(|step| self.threads.get((first.wrapping_add(step)) % count))
            .min_by_key(|worker| worker.load.rank())
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let load = Arc::new(Load::new());
        let (parked, woken) = (Arc::clone(&load), Arc::clone(&load));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_park(move || parked.park())
            .on_thread_unpark(move || woken.wake())
            .build()?;
        let (jobs, mut queue) = mpsc::unbounded_channel::<Job>();
        let seen = Arc::clone(&load);
        let work = async move {
            let connections = TaskTracker::new();
            let mut period = tokio::time::interval(PERIOD);
            period.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    job = queue.recv() => match job {
                        Some(job) => {
                            connections.spawn(job());
                        }
                        None => break,
                    },
                    _ = period.tick() => seen.look(),
                }
            }
            connections.close();
            connections.wait().await;
        };
        std::thread::Builder::new()
            .name(format!("connections-{number}"))
            .spawn(move || runtime.block_on(work))?;
        Ok(Self { jobs, load })
    }

    fn answer(&self) -> oneshot::Receiver<()> {
        let (told, answer) = oneshot::channel();
        let job: Job = Box::new(move || {
            drop(told);
            Box::pin(std::future::ready(()))
        });
        // Fails only when the thread is gone, which drops the job.
        let _ = self.jobs.send(job);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::Mutex;

    #[tokio::test]
    async fn idle_threads_take_turns_and_run_returns_when_the_work_ended() {
        let workers = Workers::start(2).unwrap();
        let names = Arc::new(Mutex::new(HashSet::new()));
        for _ in 0..4 {
            let names = Arc::clone(&names);
            let note = move || async move {
                let name = std::thread::current().name().unwrap_or_default().to_owned();
                names.lock().unwrap().insert(name);
            };
            workers.run(note).await;
        }
        assert_eq!(names.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_thread_that_is_stuck_does_not_answer_until_it_goes_on() {
        let workers = Workers::start(2).unwrap();
        workers.all_answer().await;
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let (entered, inside) = oneshot::channel();
        let stuck = {
            let workers = Arc::clone(&workers);
            tokio::spawn(async move {
                let block = move || async move {
                    entered.send(()).unwrap();
                    let _ = wait.recv();
                };
                workers.run(block).await;
            })
        };
        inside.await.unwrap();
        let answers = workers.all_answer();
        tokio::pin!(answers);
        let early = tokio::time::timeout(Duration::from_millis(50), &mut answers).await;
        assert!(early.is_err());
        drop(go_on);
        answers.await;
        stuck.await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_in_one_connection_leaves_the_thread_to_the_others() {
        let workers = Workers::start(1).unwrap();
        workers
            .run(|| async { assert!(std::env::args().count() == 0, "on purpose") })
            .await;
        let (told, heard) = oneshot::channel();
        workers
            .run(move || async move {
                told.send(7).unwrap();
            })
            .await;
        assert_eq!(heard.await, Ok(7));
    }
}
