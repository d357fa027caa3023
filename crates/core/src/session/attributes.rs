//! Changing size, owner, mode and times of a path.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sftpgo_model::{FileEvent, Permission, VirtualPath};
use sftpgo_storage::{Ending, FileTime, Links, OpenExisting, SetAttributes};

use super::{CommandLog, Session};
use crate::access::{Demand, Permit, Scope};
use crate::error::{OpError, OpResult};

const OVERWRITE: Demand = Demand::file(&[Permission::Overwrite]);
const CHMOD: Demand = Demand::entry(&[Permission::Chmod]);
const CHOWN: Demand = Demand::entry(&[Permission::Chown]);
const CHTIMES: Demand = Demand::entry(&[Permission::Chtimes]);

impl Session {
    /// Applies every attribute that is given, a new size first. All permissions are checked before anything changes.
    pub async fn set_attributes(
        &self,
        path: &VirtualPath,
        size: Option<u64>,
        changes: &SetAttributes,
        follow: bool,
    ) -> OpResult<()> {
        let links = if follow {
            Links::Follow
        } else {
            Links::NoFollow
        };
        let mut changes = *changes;
        if self.inner.core.settings.ignore_setstat {
            changes = SetAttributes::default();
        }
        let mut demands = Vec::new();
        demands.extend(changes.owner.map(|_| CHOWN));
        demands.extend(changes.mode.map(|_| CHMOD));
        demands.extend(changes.times.map(|_| CHTIMES));
        let scope = self.scope_of(path, &demands, links).await?;
        let mut permits = Vec::new();
        for demand in demands {
            permits.push(self.permit(path, Demand { scope, ..demand })?);
        }
        if let Some(size) = size {
            let permit = self.permit(path, OVERWRITE)?;
            self.truncate(permit, size).await?;
        }
        // Each permit carries the guard of its own permission; applied one by one, so that each is asked.
        let single = [
            SetAttributes {
                owner: changes.owner,
                ..SetAttributes::default()
            },
            SetAttributes {
                mode: changes.mode,
                ..SetAttributes::default()
            },
            SetAttributes {
                times: changes.times,
                ..SetAttributes::default()
            },
        ];
        for (permit, change) in permits
            .iter()
            .zip(single.iter().filter(|change| !change.is_empty()))
        {
            permit
                .storage()?
                .set_attributes(&permit.target, change, links)
                .await?;
            self.log_change(permit, change);
        }
        Ok(())
    }

    /// A directory is an entry of its parent. Anything else follows the path itself, which differs only where permissions
    /// are defined for just that path (reference 3.3).
    async fn scope_of(
        &self,
        path: &VirtualPath,
        demands: &[Demand],
        links: Links,
    ) -> OpResult<Scope> {
        let user = self.user();
        let permissions = &user.permissions;
        let alike = permissions.in_directory(path) == permissions.in_directory(&path.parent());
        let Some(demand) = demands.first().filter(|_| !alike) else {
            return Ok(Scope::Parent);
        };
        let either = Demand {
            any_of: &Permission::ALL,
            scope: Scope::Parent,
            ..*demand
        };
        let permit = self.permit(path, either)?;
        let is_dir = permit
            .storage()?
            .stat(&permit.target, links)
            .await?
            .is_dir();
        Ok(if is_dir { Scope::Parent } else { Scope::Itself })
    }

    /// Cuts or extends a file by its path: opens it and changes what was opened, as an upload does. So its account is shared
    /// with uploads of the same file, and whoever removes it meanwhile finds it.
    async fn truncate(&self, permit: Permit, size: u64) -> OpResult<()> {
        self.ask_gate(FileEvent::PreUpload, &permit, 0).await?;
        let session = self.clone();
        self.to_the_end(async move {
            let quota = session.quota(&permit);
            let storage = permit.storage()?;
            let before = storage.stat(&permit.target, Links::Follow).await?;
            // A full account may still cut its files.
            let mut hold = if size > before.size {
                quota.begin(false).await?
            } else {
                quota.hold()
            };
            let options = session.write_options(&**storage, OpenExisting::Keep, false);
            let handle = match storage.open_write(&permit.target, &options).await {
                Ok(handle) => handle,
                Err(error) => {
                    hold.cancel().await;
                    return Err(error.into());
                }
            };
            if let Err(error) = hold.attach(&*handle, false, false).await {
                hold.cancel().await;
                return Err(error);
            }
            let changed = match hold.grow(size).await {
                Ok(()) => handle.set_len(size).await.map_err(OpError::from),
                Err(error) => Err(error),
            };
            hold.conclude(handle, Ending::Finish).await?;
            changed
        })
        .await
    }

    fn log_change(&self, permit: &Permit, change: &SetAttributes) {
        let path = permit.server_path();
        if let Some((uid, gid)) = change.owner {
            let id = |id: Option<u32>| id.map_or(-1, i64::from);
            let owner = (id(uid), id(gid));
            self.log_command(&CommandLog {
                owner,
                ..CommandLog::new("Chown", &path)
            });
        }
        if let Some(mode) = change.mode {
            let mode = mode_text(mode);
            self.log_command(&CommandLog {
                mode,
                ..CommandLog::new("Chmod", &path)
            });
        }
        if let Some((accessed, modified)) = change.times {
            let (accessed, modified) = (local_text(accessed), local_text(modified));
            let times = (accessed.as_str(), modified.as_str());
            self.log_command(&CommandLog {
                times,
                ..CommandLog::new("Chtimes", &path)
            });
        }
    }
}

/// `-rw-r--r--`, as the command log shows modes.
fn mode_text(mode: u32) -> String {
    let mut text = String::from("-");
    for shift in [6, 3, 0] {
        for (bit, letter) in [(4, 'r'), (2, 'w'), (1, 'x')] {
            text.push(if mode >> shift & bit != 0 {
                letter
            } else {
                '-'
            });
        }
    }
    text
}

fn local_text(time: FileTime) -> String {
    Timestamp::from_second(time.seconds)
        .map(|time| {
            time.to_zoned(TimeZone::system())
                .strftime("%Y-%m-%dT%H:%M:%S")
                .to_string()
        })
        .unwrap_or_default()
}
