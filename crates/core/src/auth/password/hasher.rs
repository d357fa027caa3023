//! [`PasswordHasher`]: the bounded pool. A check takes tens of milliseconds and 64 MiB, and may take some seconds.

use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::argon2id;
use super::stored::{StoredHash, UnusableHash};
use crate::error::{OpError, OpErrorKind, OpResult};

/// Longest password that is looked at; longer ones only cost hashing time.
const MAX_PASSWORD: usize = 1024;
/// Hashing jobs that may wait; a storm beyond that is refused instead of kept in memory.
const MAX_WAITING: usize = 512;
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
    waiting: Arc<Semaphore>,
    /// Verified against when there is no such user, so that an attempt takes the same time. Made when first needed.
    decoy: Arc<OnceLock<String>>,
}

impl PasswordHasher {
    pub(crate) fn new() -> Self {
        let cores = available_parallelism().map_or(2, usize::from);
        Self {
            running: Arc::new(Semaphore::new(cores)),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            decoy: Arc::default(),
        }
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
        self.run(move || new_hash(&password))
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
        self.run(move || match StoredHash::parse(&stored) {
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
        self.run(move || try_decoy(&password, &decoy)).await?;
        Ok(Verdict::Differs)
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> OpResult<T> {
        let busy = || OpError::from(OpErrorKind::Unavailable);
        let _place = Arc::clone(&self.waiting)
            .try_acquire_owned()
            .map_err(|_| busy())?;
        let turn = tokio::time::timeout(TURN_DEADLINE, Arc::clone(&self.running).acquire_owned());
        let turn = turn.await.map_err(|_| busy())?.map_err(|_| busy())?;
        let job = tokio::task::spawn_blocking(move || {
            let result = job();
            drop(turn);
            result
        });
        job.await
            .map_err(|error| OpError::with_source(OpErrorKind::Internal, error))
    }
}

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
}
