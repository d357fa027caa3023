//! [`Login`]: proof that somebody is who they say. Only this module's parent can make one.

use std::sync::Arc;

use sftpgo_model::LoginMethod;
use tokio::sync::OnceCell;

use super::factor::Restrictions;
use crate::mounts::Mounts;
use crate::registry::ConnectionInfo;
use crate::sessions::LiveLogin;

/// A completed authentication on one connection. It holds one of the user's sessions until it is dropped.
///
/// Deliberately neither `Clone` nor constructible outside `auth`: a front end that has none cannot act for anybody.
#[derive(Debug)]
pub struct Login {
    pub(crate) live: Arc<LiveLogin>,
    pub(crate) info: ConnectionInfo,
    pub(crate) mounts: OnceCell<Arc<Mounts>>,
}

impl Login {
    pub(super) fn new(live: Arc<LiveLogin>, info: ConnectionInfo) -> Self {
        Self {
            live,
            info,
            mounts: OnceCell::new(),
        }
    }

    /// The login name.
    pub fn username(&self) -> &str {
        self.live.username()
    }

    /// Notes the client's identification line, which some transports learn only after the login.
    pub fn identify(&mut self, client_version: String) {
        self.info.client_version = client_version;
    }

    /// How it was proved: the methods in the order of their proofs.
    pub fn methods(&self) -> &[LoginMethod] {
        self.live.proved().methods()
    }

    /// What the proofs allow less than the account does. The front end has to see to the forced command.
    pub fn restrictions(&self) -> &Restrictions {
        self.live.proved().restrictions()
    }
}
