//! [`OperatorPasswords`]: passwords of people who run the server and are no users of it. Who they are, and their hashes, a
//! front end knows; here they share the pool and its bounds with logins.

use std::sync::Arc;

use super::checks::PasswordChecks;
use super::hasher::Verdict;
use super::stored::StoredHash;
use crate::engine::Core;
use crate::error::OpResult;

/// Checks passwords against hashes that are given with them. A pair that was right a moment ago costs no hash.
#[derive(Debug)]
pub struct OperatorPasswords {
    checks: PasswordChecks,
}

impl OperatorPasswords {
    /// Whether this very password was right for this name and hash within the last minute; if so it is for another one.
    /// Costs nothing, and takes the same time whatever was tried.
    pub fn is_known(&self, name: &str, password: &str, stored: &str) -> bool {
        self.checks.renew(name, password, stored)
    }

    /// Whether it is the password that `stored` was made from. Takes what the hash asks for.
    ///
    /// # Errors
    /// `Unavailable` if too many wait for the pool.
    pub async fn check(&self, name: &str, password: &str, stored: &str) -> OpResult<bool> {
        let verdict = self.checks.check(name, password, Some(stored)).await?;
        Ok(verdict == Verdict::Matches)
    }

    /// Takes the time of a check against `like`, without one that of a new hash, for a name that nobody has.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub async fn pretend(&self, password: &str, like: Option<&str>) -> OpResult<()> {
        self.checks.pretend(password, like).await
    }

    /// Why no password can match this hash, if that is so. Costs nothing.
    pub fn defect(stored: &str) -> Option<String> {
        let parsed = StoredHash::parse(stored);
        parsed.err().map(|reason| reason.to_string())
    }
}

impl Core {
    /// Checks of operators' passwords, which remember those that were right.
    pub fn operator_passwords(&self) -> OperatorPasswords {
        OperatorPasswords {
            checks: PasswordChecks::new(Arc::clone(&self.hasher)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::hasher::PasswordHasher;
    use super::*;

    /// Of "password".
    const STORED: &str = "$1$b5caebda$VODr/nyhGWgZaY8sJ4x05.";

    fn passwords() -> OperatorPasswords {
        OperatorPasswords {
            checks: PasswordChecks::new(Arc::new(PasswordHasher::new())),
        }
    }

    #[tokio::test]
    async fn what_was_right_is_known_and_nothing_else_is() {
        let passwords = passwords();
        assert!(!passwords.is_known("alice", "password", STORED));
        assert!(!passwords.check("alice", "wrong", STORED).await.unwrap());
        assert!(!passwords.is_known("alice", "wrong", STORED));
        assert!(passwords.check("alice", "password", STORED).await.unwrap());
        assert!(passwords.is_known("alice", "password", STORED));
        for (name, password, stored) in [
            ("bob", "password", STORED),
            ("alice", "Password", STORED),
            ("alice", "password", "$1$other$VODr/nyhGWgZaY8sJ4x05."),
        ] {
            assert!(!passwords.is_known(name, password, stored));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_again_within_a_minute_stays_known() {
        let passwords = passwords();
        assert!(passwords.check("alice", "password", STORED).await.unwrap());
        for _ in 0..5 {
            tokio::time::advance(Duration::from_secs(50)).await;
            assert!(passwords.is_known("alice", "password", STORED));
        }
        tokio::time::advance(Duration::from_secs(61)).await;
        assert!(!passwords.is_known("alice", "password", STORED));
    }

    #[tokio::test]
    async fn pretending_costs_a_hash_and_makes_nobody_known() {
        let passwords = passwords();
        passwords.pretend("password", Some(STORED)).await.unwrap();
        assert!(!passwords.is_known("alice", "password", STORED));
        assert!(!passwords.is_known("", "password", STORED));
    }

    #[test]
    fn a_hash_that_matches_nothing_says_why() {
        assert_eq!(OperatorPasswords::defect(STORED), None);
        for stored in ["", "password", "$2a$05$short", "$2a$31$abc", "$1$nothing"] {
            assert!(OperatorPasswords::defect(stored).is_some(), "{stored}");
        }
    }
}
