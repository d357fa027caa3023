//! Password hashes (reference 4), computed on a bounded pool: argon2id takes 64 MiB and tens of milliseconds each.

use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::error::{OpError, OpErrorKind, OpResult};

/// The prefixes of stored hashes that are kept as they are; anything else is a plain password.
const RECOGNISED: [&str; 11] = [
    "$argon2id$",
    "$2a$",
    "$2b$",
    "$2y$",
    "$pbkdf2-sha1$",
    "$pbkdf2-sha256$",
    "$pbkdf2-sha512$",
    "$1$",
    "$apr1$",
    "$5$",
    "$6$",
];

/// Whether `stored` is a hash in a format that records may hold.
pub fn is_recognised_hash(stored: &str) -> bool {
    RECOGNISED.iter().any(|prefix| stored.starts_with(prefix))
}

/// Longest password that is looked at; longer ones only cost hashing time.
const MAX_PASSWORD: usize = 1024;
/// Hashing jobs that may wait; a storm beyond that is refused instead of kept in memory.
const MAX_WAITING: usize = 512;
/// How long a job may wait for its turn.
const TURN_DEADLINE: Duration = Duration::from_secs(60);

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
        self.run(move || hash_argon2id(&password))
            .await?
            .map_err(|error| OpError::with_source(OpErrorKind::Internal, error.to_string()))
    }

    /// Whether `password` is the one `stored` was made from. A format that cannot be verified never matches.
    pub(crate) async fn verify(&self, password: &str, stored: &str) -> OpResult<bool> {
        if password.len() > MAX_PASSWORD {
            return Ok(false);
        }
        let password = Zeroizing::new(password.as_bytes().to_vec());
        let stored = Zeroizing::new(stored.to_owned());
        self.run(move || verify(&password, &stored)).await
    }

    /// Takes the time of a verification and matches nothing.
    pub(crate) async fn verify_decoy(&self, password: &str) -> OpResult<bool> {
        let password = Zeroizing::new(password.as_bytes().to_vec());
        let decoy = Arc::clone(&self.decoy);
        self.run(move || verify(&password, decoy.get_or_init(hash_of_nothing)))
            .await
            .map(|_| false)
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

fn argon2id() -> Result<Argon2<'static>, argon2::Error> {
    // 64 MiB, 3 passes, 2 lanes, 32 bytes: the reference's numbers, which stored hashes of either program share.
    let params = Params::new(64 * 1024, 3, 2, Some(32))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_argon2id(password: &[u8]) -> Result<String, argon2::password_hash::Error> {
    let argon2 = argon2id().map_err(|_| argon2::password_hash::Error::Internal)?;
    let mut salt = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| argon2::password_hash::Error::Internal)?;
    Ok(argon2.hash_password_with_salt(password, &salt)?.to_string())
}

/// A hash of bytes that nobody knows, with the parameters of new hashes.
fn hash_of_nothing() -> String {
    let mut bytes = [0_u8; 32];
    let filled = aws_lc_rs::rand::fill(&mut bytes).is_ok();
    filled
        .then(|| hash_argon2id(&bytes).ok())
        .flatten()
        .unwrap_or_default()
}

fn verify(password: &[u8], stored: &str) -> bool {
    if !stored.starts_with("$argon2id$") {
        if is_recognised_hash(stored) {
            tracing::warn!(
                "a stored password hash is in a format this version does not verify; set the password again"
            );
        }
        return false;
    }
    let Ok(hash) = PasswordHash::new(stored) else {
        return false;
    };
    argon2id().is_ok_and(|argon2| argon2.verify_password(password, &hash).is_ok())
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
        assert!(hasher.verify("pässword", &stored).await.unwrap());
        assert!(!hasher.verify("password", &stored).await.unwrap());
        assert!(!hasher.verify(&stored, &stored).await.unwrap());
        assert!(!hasher.verify_decoy("").await.unwrap());
    }

    #[test]
    fn what_is_no_known_hash_never_matches() {
        assert!(!verify(b"plain", "plain"));
        assert!(!verify(b"", ""));
        assert!(!verify(b"x", "$argon2id$broken"));
    }
}
