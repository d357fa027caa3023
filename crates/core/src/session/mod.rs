//! A logged-in principal on one connection; every protocol acts through it and through nothing else.

mod action;
mod attributes;
mod command;
mod copy;
mod digest;
mod entries;
mod hard_link;
mod links;
mod list;
mod open;
mod rename;

use std::future::Future;
use std::sync::Arc;

use sftpgo_model::{Permission, Protocol, User, VirtualPath};

pub use list::DirectoryListing;
pub use open::{OpenFile, OpenIntent};

use crate::access::{Demand, Permit, Tree, permit, permit_tree};
use crate::auth::Login;
use crate::engine::Core;
use crate::error::{OpError, OpErrorKind, OpResult};
use crate::mounts::Mounts;
use crate::quota::MountQuota;
use crate::registry::{Connection, RegistryGuard};
use crate::sessions::{LiveLogin, SessionSlot};

/// Acts for one user on one channel of one connection. Cheap to clone; it leaves the connection list with its last clone.
#[derive(Debug, Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    core: Arc<Core>,
    login: Arc<LiveLogin>,
    mounts: Arc<Mounts>,
    entry: RegistryGuard,
}

impl Session {
    /// Opens a session for a login: home and virtual folders are made and opened by the first one of the connection.
    ///
    /// `command` is the text of the exec request, empty for a subsystem.
    ///
    /// # Errors
    /// The back end of the account cannot be opened; the connection is of no use then.
    pub async fn open(
        core: &Arc<Core>,
        login: &Login,
        protocol: Protocol,
        command: String,
    ) -> OpResult<Self> {
        let opened = login.mounts.get_or_try_init(|| async {
            let user = login.live.user();
            Mounts::open(core, &user).await.map(Arc::new)
        });
        let mounts = Arc::clone(opened.await?);
        let username = login.username().to_owned();
        let entry = core
            .registry()
            .register(login.info.clone(), username, protocol, command);
        let inner = Inner {
            core: Arc::clone(core),
            login: Arc::clone(&login.live),
            mounts,
            entry,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// This session's row in the connection list.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.inner.entry.connection
    }

    /// The user's name.
    pub fn username(&self) -> &str {
        self.inner.login.username()
    }

    /// The owner and the group that the account's files get; `None` is that of the server.
    pub fn owner(&self) -> (Option<u32>, Option<u32>) {
        let user = self.user();
        (user.uid, user.gid)
    }

    /// Notes activity and checks a demand.
    fn permit(&self, path: &VirtualPath, demand: Demand) -> OpResult<Permit> {
        self.connection().touch();
        permit(&self.user(), &self.inner.mounts, path, demand)
            .inspect_err(|error| self.log_denied(path, error))
    }

    /// The same for a whole tree.
    pub(crate) fn permit_tree(&self, path: &VirtualPath, tree: Tree) -> OpResult<Permit> {
        self.connection().touch();
        permit_tree(&self.user(), &self.inner.mounts, path, tree)
            .inspect_err(|error| self.log_denied(path, error))
    }

    /// The quota of the account's files where a permit is for.
    fn quota(&self, permit: &Permit) -> MountQuota {
        let quota = &self.inner.core.quota;
        quota.at(&self.user(), permit.mount_point())
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.inner.core
    }

    /// The account with the rules of now: they change while the session runs. What must fit together is decided with one
    /// call.
    pub(crate) fn user(&self) -> Arc<User> {
        self.inner.login.user()
    }

    /// One of the user's sessions, for work that goes on after this one.
    pub(crate) fn slot(&self) -> Arc<SessionSlot> {
        self.inner.login.slot()
    }

    pub(crate) fn mounts(&self) -> &Arc<Mounts> {
        &self.inner.mounts
    }

    pub(crate) fn has(&self, directory: &VirtualPath, permission: Permission) -> bool {
        self.user()
            .permissions
            .in_directory(directory)
            .contains(permission)
    }

    /// The root and the places of virtual folders cannot be moved, removed or made.
    fn refuse_fixed(&self, path: &VirtualPath) -> OpResult<()> {
        let fixed = path.is_root()
            || self.inner.mounts.is_folder(path)
            || self.inner.mounts.has_folder_below(path);
        if fixed {
            Err(OpErrorKind::PermissionDenied.into())
        } else {
            Ok(())
        }
    }

    /// Runs a change to its end also when the client goes away meanwhile, so that storage and counters stay in step.
    async fn to_the_end<T: Send + 'static>(
        &self,
        change: impl Future<Output = OpResult<T>> + Send + 'static,
    ) -> OpResult<T> {
        let changing = self.connection().begin_change();
        let task = self.inner.core.tasks().spawn(async move {
            let _changing = changing;
            change.await
        });
        task.await
            .map_err(|error| OpError::with_source(OpErrorKind::Internal, error))?
    }

    fn log_denied(&self, path: &VirtualPath, error: &OpError) {
        tracing::debug!(
            connection_id = self.connection().info.id,
            username = self.username(),
            path = %path,
            "refused: {error}"
        );
    }

    /// The command log line of a change that succeeded; field order is part of the interface (reference 14.4).
    fn log_command(&self, command: &CommandLog<'_>) {
        let connection = self.connection();
        tracing::info!(
            sender = command.name,
            username = self.username(),
            file_path = command.path,
            target_path = command.target,
            filemode = command.mode.as_str(),
            uid = command.owner.0,
            gid = command.owner.1,
            access_time = command.times.0,
            modification_time = command.times.1,
            ssh_command = connection.command,
            connection_id = connection.info.id,
            protocol = connection.protocol.as_str(),
        );
    }
}

/// What varies in a command log line.
#[derive(Debug)]
struct CommandLog<'a> {
    name: &'static str,
    path: &'a str,
    target: &'a str,
    mode: String,
    owner: (i64, i64),
    times: (&'a str, &'a str),
}

impl<'a> CommandLog<'a> {
    fn new(name: &'static str, path: &'a str) -> Self {
        Self {
            name,
            path,
            target: "",
            mode: String::new(),
            owner: (-1, -1),
            times: ("", ""),
        }
    }
}
