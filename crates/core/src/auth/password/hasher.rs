//! [`PasswordHasher`]: the bounded pool. A check takes tens of milliseconds and 64 MiB, and may take some seconds.

use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use zeroize::Zeroizing;

use super::argon2id;
use super::stored::{StoredHash, UnusableHash};
use crate::error::{OpError, OpErrorKind, OpResult};
use crate::metrics::Counter;

/// Longest password that is looked at; longer ones only cost hashing time.
pub(crate) const MAX_PASSWORD: usize = 1024;
/// Hashing jobs that may wait; a storm beyond that is refused instead of kept in memory.
const MAX_WAITING: usize = 512;
/// Memory of all jobs that run, in MiB, for each that may run: as much as a new hash takes.
const MEMORY_EACH: usize = 64;
/// But at least so much that the costliest hash fits in.
const MEMORY_LEAST: usize = 256;
/// By how much a hash is nicer than the rest of the server: a transfer beside it gets three times as much of a core.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;
/// How long a job may wait for its turn.
const TURN_DEADLINE: Duration = Duration::from_secs(60);

/// What a check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the password.
    Matches,
    /// It is not.
    Differs,
    /// No password matches: somebody has to set it again.
    Unusable(UnusableHash),
}

/// Hashes and verifies passwords, a few at a time.
#[derive(Debug)]
pub struct PasswordHasher {
    running: Arc<Semaphore>,
    /// In MiB.
    memory: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// Verified against when there is no such user, so that an attempt takes the same time. Made when first needed.
    decoy: Arc<OnceLock<String>>,
    computed: Counter,
}

impl Default for PasswordHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl PasswordHasher {
    /// A pool that computes as many at a time as there are cores, in a bounded amount of memory.
    pub fn new() -> Self {
        let cores = available_parallelism().map_or(2, usize::from);
        Self {
            running: Arc::new(Semaphore::new(cores)),
            memory: Arc::new(Semaphore::new(MEMORY_LEAST.max(cores * MEMORY_EACH))),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            decoy: Arc::default(),
            computed: Counter::default(),
        }
    }

    /// How many hashes were computed so far, decoys included.
    pub(crate) fn computed(&self) -> u64 {
        self.computed.value()
    }

    /// Hashes a plain password with argon2id and the reference's parameters.
    pub async fn hash(&self, password: &str) -> OpResult<String> {
        if password.len() > MAX_PASSWORD {
            return Err(OpError::new(
                OpErrorKind::InvalidArgument,
                "the password is too long",
            ));
        }
        let password = Zeroizing::new(password.as_bytes().to_vec());
        self.run(argon2id::MEMORY.into(), move || new_hash(&password))
            .await?
            .map_err(|error| OpError::with_source(OpErrorKind::Internal, error.to_string()))
    }

    /// Whether `password` is the one `stored` was made from. A hash that cannot be used takes the time of one that can.
    pub(crate) async fn verify(&self, password: &str, stored: &str) -> OpResult<Verdict> {
        if password.len() > MAX_PASSWORD {
            return Ok(Verdict::Differs);
        }
        let password = Zeroizing::new(password.as_bytes().to_vec());
        let stored = Zeroizing::new(stored.to_owned());
        let decoy = Arc::clone(&self.decoy);
        let decoy_memory = argon2id::MEMORY.into();
        let memory = StoredHash::parse(&stored).map_or(decoy_memory, |hash| hash.memory());
        self.run(memory, move || match StoredHash::parse(&stored) {
            Ok(hash) if hash.matches(&password) => Verdict::Matches,
            Ok(_) => Verdict::Differs,
            Err(reason) => {
                try_decoy(&password, &decoy);
                Verdict::Unusable(reason)
            }
        })
        .await
    }

    /// Takes the time of a verification and matches nothing.
    pub(crate) async fn verify_decoy(&self, password: &str) -> OpResult<Verdict> {
        // As above, so that length tells nothing either.
        if password.len() > MAX_PASSWORD {
            return Ok(Verdict::Differs);
        }
        let password = Zeroizing::new(password.as_bytes().to_vec());
        let decoy = Arc::clone(&self.decoy);
        let memory = argon2id::MEMORY.into();
        self.run(memory, move || try_decoy(&password, &decoy))
            .await?;
        Ok(Verdict::Differs)
    }

    /// A hash that looks like those of accounts and that no password matches; the same each time.
    pub(crate) async fn decoy(&self) -> OpResult<String> {
        if let Some(decoy) = self.decoy.get() {
            return Ok(decoy.clone());
        }
        let decoy = Arc::clone(&self.decoy);
        let memory = argon2id::MEMORY.into();
        self.run(memory, move || decoy.get_or_init(hash_of_nothing).clone())
            .await
    }

    /// Runs a job that takes `memory` KiB when there is room for it.
    async fn run<T: Send + 'static>(
        &self,
        memory: u64,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> OpResult<T> {
        let busy = || OpError::from(OpErrorKind::Unavailable);
        let _place = Arc::clone(&self.waiting)
            .try_acquire_owned()
            .map_err(|_| busy())?;
        // Within the bounds of what a hash may ask for.
        let memory = u32::try_from(memory.div_ceil(1024)).map_err(|_| busy())?;
        let turn = async {
            // Room first: who has a turn does not wait any more.
            let room = Arc::clone(&self.memory).acquire_many_owned(memory).await;
            let turn = Arc::clone(&self.running).acquire_owned().await;
            room.and_then(|room| Ok((room, turn?)))
        };
        let turn = tokio::time::timeout(TURN_DEADLINE, turn).await;
        let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        self.computed.increment();
        let (done, result) = oneshot::channel();
        // A thread of its own, since nobody gets a lower priority back. Making one is nothing beside a hash.
        let thread = std::thread::Builder::new().name("hash".to_owned());
        let started = thread.spawn(move || {
            lower_priority();
            let result = job();
            drop(turn);
            // Whoever asked may have gone.
            let _ = done.send(result);
        });
        started.map_err(|error| OpError::with_source(OpErrorKind::Unavailable, error))?;
        result
            .await
            .map_err(|error| OpError::with_source(OpErrorKind::Internal, error))
    }
}

/// Lets transfers go first where cores are short; what is left over is the hash's. Where the system does not allow it all
/// are alike.
#[cfg(target_os = "linux")]
fn lower_priority() {
    use rustix::process::{getpriority_process, setpriority_process};

    // `None` is this thread alone, on Linux.
    if let Ok(nice) = getpriority_process(None) {
        let _ = setpriority_process(None, (nice + NICE).min(19));
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

/// Why no hash could be made.
#[derive(Debug, thiserror::Error)]
enum HashingError {
    #[error("no random numbers for the salt")]
    Random,
    #[error(transparent)]
    Argon2(#[from] argon2::Error),
}

fn new_hash(password: &[u8]) -> Result<String, HashingError> {
    let mut salt = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| HashingError::Random)?;
    Ok(argon2id::new_hash(password, salt)?)
}

/// A hash of bytes that nobody knows, with the parameters of new hashes.
fn hash_of_nothing() -> String {
    let mut bytes = [0_u8; 32];
    let filled = aws_lc_rs::rand::fill(&mut bytes).is_ok();
    filled
        .then(|| new_hash(&bytes).ok())
        .flatten()
        .unwrap_or_default()
}

fn try_decoy(password: &[u8], decoy: &OnceLock<String>) {
    if let Ok(hash) = StoredHash::parse(decoy.get_or_init(hash_of_nothing)) {
        // Nobody looks at the result; it has to be computed all the same.
        std::hint::black_box(hash.matches(password));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_new_hash_has_the_parameters_of_the_reference_and_verifies() {
        let hasher = PasswordHasher::new();
        let stored = hasher.hash("pässword").await.unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=65536,t=3,p=2$"),
            "{stored}"
        );
        let verdict = async |password: &str| hasher.verify(password, &stored).await.unwrap();
        assert_eq!(verdict("pässword").await, Verdict::Matches);
        assert_eq!(verdict("password").await, Verdict::Differs);
        assert_eq!(verdict(&stored).await, Verdict::Differs);
        assert_eq!(verdict("").await, Verdict::Differs);
        let long = "x".repeat(MAX_PASSWORD + 1);
        assert_eq!(verdict(&long).await, Verdict::Differs);
    }

    #[tokio::test]
    async fn a_decoy_and_what_cannot_be_used_match_nothing() {
        let hasher = PasswordHasher::new();
        for password in ["", "password"] {
            let verdict = hasher.verify_decoy(password).await.unwrap();
            assert_eq!(verdict, Verdict::Differs);
            let verdict = hasher.verify(password, password).await.unwrap();
            assert_eq!(verdict, Verdict::Unusable(UnusableHash::Unknown));
        }
    }

    #[tokio::test]
    async fn costly_hashes_wait_for_room_in_memory() {
        let stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let hasher = PasswordHasher::new();
        let all = u32::try_from(hasher.memory.available_permits()).unwrap();
        let taken = hasher.memory.acquire_many(all - 63).await.unwrap();
        let mut costly = Box::pin(hasher.verify("password", stored));
        assert!((&mut costly).now_or_never().is_none());
        // One that takes next to nothing does not wait behind it.
        let cheap = "$1$b5caebda$VODr/nyhGWgZaY8sJ4x05.";
        let verdict = hasher.verify("password", cheap).await.unwrap();
        assert_eq!(verdict, Verdict::Matches);
        assert!((&mut costly).now_or_never().is_none());
        assert_eq!(hasher.computed(), 1);
        drop(taken);
        assert_eq!(costly.await.unwrap(), Verdict::Matches);
    }

    #[test]
    fn there_is_room_for_the_costliest_hash() {
        let hasher = PasswordHasher::new();
        assert!(hasher.memory.available_permits() >= 256);
    }
}
