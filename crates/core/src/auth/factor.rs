//! What was proved: [`Factor`], one verified credential, and [`Proved`], all of them on a connection.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use sftpgo_model::{LoginMethod, PublicKey, User};

use super::error::AuthError;
use super::key::{Grant, VerifiedKey};

/// Proof of one login method, for one account. Its makers stand beside the verification: there is no other way to one.
#[derive(Debug)]
pub(super) struct Factor {
    user: Arc<User>,
    method: LoginMethod,
    key: Option<PublicKey>,
    /// What the log says beside the method.
    detail: Option<String>,
    restrictions: Restrictions,
}

impl Factor {
    /// The password of the account was given.
    pub(super) fn password(user: Arc<User>) -> Self {
        Self::new(user, LoginMethod::Password)
    }

    /// A signature of `key`, to which the account grants this, was verified.
    pub(super) fn key(user: Arc<User>, key: &VerifiedKey, grant: Grant) -> Self {
        Self {
            key: Some(key.offered().key().clone()),
            detail: Some(grant.detail),
            restrictions: grant.restrictions,
            ..Self::new(user, LoginMethod::PublicKey)
        }
    }

    /// The keyboard-interactive hook says that the client answered well.
    pub(super) fn interactive(user: Arc<User>) -> Self {
        Self::new(user, LoginMethod::KeyboardInteractive)
    }

    fn new(user: Arc<User>, method: LoginMethod) -> Self {
        Self {
            user,
            method,
            key: None,
            detail: None,
            restrictions: Restrictions::default(),
        }
    }

    /// The account as it was when this was proved.
    pub(super) fn user(&self) -> &Arc<User> {
        &self.user
    }

    /// Whether both are proofs of one and the same key.
    pub(super) fn same_key(&self, other: &Self) -> bool {
        match (&self.key, &other.key) {
            (Some(own), Some(other)) => own.same_key(other),
            _ => false,
        }
    }

    /// As the log shows it: `publickey: SHA256:...:comment`.
    pub(super) fn describe(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}: {detail}", self.method),
            None => self.method.to_string(),
        }
    }
}

/// What proofs allow less than the account does: options of a certificate, say. Those of several proofs hold together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restrictions {
    /// The client's address must be in a network of each list.
    sources: Vec<Vec<IpNet>>,
    command: ForcedCommand,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum ForcedCommand {
    #[default]
    None,
    This(String),
    /// Two proofs name different ones: there is nothing that both allow.
    Contradictory,
}

impl Restrictions {
    /// Logins from `sources` only, to run `command` only; `None` restricts nothing.
    pub fn new(sources: Option<Vec<IpNet>>, command: Option<String>) -> Self {
        Self {
            sources: sources.into_iter().collect(),
            command: command.map_or(ForcedCommand::None, ForcedCommand::This),
        }
    }

    /// Adds those of another proof.
    pub fn restrict(&mut self, other: &Self) {
        self.sources.extend(other.sources.iter().cloned());
        self.command = match (&self.command, &other.command) {
            (command, ForcedCommand::None) | (ForcedCommand::None, command) => command.clone(),
            (ForcedCommand::This(own), ForcedCommand::This(other)) if own == other => {
                ForcedCommand::This(own.clone())
            }
            (ForcedCommand::This(_), ForcedCommand::This(_))
            | (ForcedCommand::Contradictory, _)
            | (_, ForcedCommand::Contradictory) => ForcedCommand::Contradictory,
        };
    }

    /// The one command that may be run; `None` if it is not restricted.
    pub fn forced_command(&self) -> Option<&str> {
        match &self.command {
            ForcedCommand::This(command) => Some(command),
            // Nobody logs in with contradictory ones.
            ForcedCommand::None | ForcedCommand::Contradictory => None,
        }
    }

    /// Whether somebody may be logged in from `address`.
    pub(super) fn check(&self, address: IpAddr) -> Result<(), AuthError> {
        let address = address.to_canonical();
        let within = |networks: &Vec<IpNet>| networks.iter().any(|net| net.contains(&address));
        if !self.sources.iter().all(within) {
            let reason = "the address is not allowed by what was proved";
            return Err(AuthError::not_allowed(reason));
        }
        if self.command == ForcedCommand::Contradictory {
            let reason = "what was proved forces different commands";
            return Err(AuthError::not_allowed(reason));
        }
        Ok(())
    }
}

/// What was proved on a connection: the methods in the order of their proofs, and what the proofs restrict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Proved {
    methods: Vec<LoginMethod>,
    restrictions: Restrictions,
}

impl Proved {
    pub(super) fn of<'a>(factors: impl IntoIterator<Item = &'a Factor>) -> Self {
        let mut proved = Self::default();
        for factor in factors {
            proved.methods.push(factor.method);
            proved.restrictions.restrict(&factor.restrictions);
        }
        proved
    }

    /// As it would be with one more proof.
    pub(super) fn with(mut self, method: LoginMethod, restrictions: &Restrictions) -> Self {
        self.methods.push(method);
        self.restrictions.restrict(restrictions);
        self
    }

    pub(crate) fn methods(&self) -> &[LoginMethod] {
        &self.methods
    }

    pub(crate) fn restrictions(&self) -> &Restrictions {
        &self.restrictions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(networks: &[&str]) -> Restrictions {
        let networks = networks.iter().map(|net| net.parse().unwrap()).collect();
        Restrictions::new(Some(networks), None)
    }

    fn together(all: &[Restrictions]) -> Restrictions {
        let mut sum = Restrictions::default();
        all.iter().for_each(|one| sum.restrict(one));
        sum
    }

    fn allow(restrictions: &Restrictions, address: &str) -> bool {
        restrictions.check(address.parse().unwrap()).is_ok()
    }

    #[test]
    fn an_address_must_be_allowed_by_every_proof() {
        let wide = from(&["10.0.0.0/8", "192.0.2.0/24"]);
        let narrow = from(&["10.1.0.0/16"]);
        for both in [
            together(&[wide.clone(), narrow.clone()]),
            together(&[narrow, Restrictions::default(), wide]),
        ] {
            assert!(allow(&both, "10.1.2.3") && allow(&both, "::ffff:10.1.2.3"));
            assert!(!allow(&both, "10.2.2.3") && !allow(&both, "192.0.2.1"));
        }
        assert!(allow(&Restrictions::default(), "192.0.2.1"));
        assert!(
            !allow(&from(&[]), "192.0.2.1"),
            "no network is none, not all"
        );
    }

    #[test]
    fn a_forced_command_is_not_lost_and_two_different_ones_let_nobody_in() {
        let force = |command: &str| Restrictions::new(None, Some(command.to_owned()));
        let free = Restrictions::default();
        for one in [
            together(&[force("a"), free.clone()]),
            together(&[free.clone(), force("a")]),
            together(&[force("a"), force("a")]),
        ] {
            assert_eq!(one.forced_command(), Some("a"));
            assert!(allow(&one, "192.0.2.1"));
        }
        for two in [
            together(&[force("a"), force("b")]),
            together(&[force("a"), force("b"), force("a")]),
            together(&[force("a"), force("b"), free]),
        ] {
            assert!(!allow(&two, "192.0.2.1"));
        }
    }
}
