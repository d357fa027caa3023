//! [`Login`]: proof that somebody is who they say. Only this module's parent can make one.

use std::sync::Arc;

use sftpgo_model::{LoginMethod, User};
use tokio::sync::OnceCell;

use crate::mounts::Mounts;
use crate::registry::{ConnectionInfo, SessionSlot};

/// A completed authentication on one connection. It holds one of the user's sessions until it is dropped.
///
/// Deliberately neither `Clone` nor constructible outside `auth`: a front end that has none cannot act for anybody.
#[derive(Debug)]
pub struct Login {
    pub(crate) user: Arc<User>,
    pub(crate) info: ConnectionInfo,
    pub(crate) mounts: OnceCell<Arc<Mounts>>,
    method: LoginMethod,
    _slot: SessionSlot,
}

impl Login {
    pub(super) fn new(
        user: Arc<User>,
        info: ConnectionInfo,
        method: LoginMethod,
        slot: SessionSlot,
    ) -> Self {
        Self {
            user,
            info,
            mounts: OnceCell::new(),
            method,
            _slot: slot,
        }
    }

    /// The login name.
    pub fn username(&self) -> &str {
        &self.user.username
    }

    /// Notes the client's identification line, which some transports learn only after the login.
    pub fn identify(&mut self, client_version: String) {
        self.info.client_version = client_version;
    }

    /// How it was proved.
    pub fn method(&self) -> LoginMethod {
        self.method
    }
}
