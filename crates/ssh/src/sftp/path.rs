//! Requests that act on paths.

use bytes::{Bytes, BytesMut};
use sftpgo_core::model::VirtualPath;
use sftpgo_core::session::{DirectoryListing, OpenFile, OpenIntent};
use sftpgo_core::{Metadata, OpErrorKind, OpResult, Session};
use sftpgo_wire::sftp::{Attrs, NameEntry, OpenFlags, StatusCode, encode_attrs, encode_name};

use super::table::PathAction;
use super::{attributes, extension, status};

/// How a request ended.
#[derive(Debug)]
pub(super) enum PathOutcome {
    /// With this answer.
    Reply(Bytes),
    /// With an open file that needs a handle.
    File(VirtualPath, Box<OpenFile>),
    /// With an open directory that needs a handle.
    Directory(VirtualPath, DirectoryListing),
    /// With this answer, unless a file is on its way to that name.
    Looked(VirtualPath, Bytes),
}

/// Runs a request to its end.
pub(super) async fn run(session: Session, id: u32, action: PathAction) -> PathOutcome {
    match perform(&session, id, action).await {
        Ok(outcome) => outcome,
        Err(error) => {
            if error.is_internal() {
                let connection = session.connection();
                tracing::error!(
                    sender = "sftpd",
                    connection_id = connection.info.id,
                    username = connection.username,
                    "request failed: {error}"
                );
            }
            PathOutcome::Reply(status::failure(id, &error))
        }
    }
}

async fn perform(session: &Session, id: u32, action: PathAction) -> OpResult<PathOutcome> {
    let done = |()| PathOutcome::Reply(status::ok(id));
    let parse = |path: &Bytes| VirtualPath::parse(path);
    Ok(match action {
        PathAction::Open { path, flags } => {
            let path = parse(&path)?;
            let Some(intent) = intent(flags) else {
                let text = "Failure: neither reading nor writing was asked for";
                return Ok(PathOutcome::Reply(status::status(
                    id,
                    StatusCode::Failure,
                    text,
                )));
            };
            let file = session.open_file(&path, intent).await?;
            PathOutcome::File(path, Box::new(file))
        }
        PathAction::OpenDir { path } => {
            let path = parse(&path)?;
            let listing = session.list(&path).await?;
            PathOutcome::Directory(path, listing)
        }
        PathAction::Stat { path, follow } => {
            let path = parse(&path)?;
            let found = if follow {
                session.stat(&path).await
            } else {
                session.lstat(&path).await
            };
            match found {
                Err(error) if error.kind() == OpErrorKind::NotFound => {
                    PathOutcome::Looked(path, status::failure(id, &error))
                }
                Ok(found) if found.is_file() => {
                    PathOutcome::Looked(path, encoded_attrs(id, &found))
                }
                found => attrs_reply(id, &found?),
            }
        }
        PathAction::SetStat { path, attrs } => {
            let changes = attributes::from_wire(&attrs);
            done(
                session
                    .set_attributes(&parse(&path)?, attrs.size, &changes, true)
                    .await?,
            )
        }
        PathAction::SetLinkStat { path, attrs } => {
            done(extension::lsetstat::run(session, &parse(&path)?, &attrs).await?)
        }
        PathAction::Remove { path } => done(session.remove_file(&parse(&path)?).await?),
        PathAction::MakeDir { path } => done(session.create_dir(&parse(&path)?).await?),
        PathAction::RemoveDir { path } => done(session.remove_dir(&parse(&path)?).await?),
        PathAction::RealPath { path } => name_reply(id, parse(&path)?.as_bytes()),
        PathAction::Rename { from, to } => {
            done(session.rename(&parse(&from)?, &parse(&to)?).await?)
        }
        PathAction::ReadLink { path } => name_reply(id, &session.read_link(&parse(&path)?).await?),
        PathAction::Symlink { target, link } => {
            done(session.symlink(&target, &parse(&link)?).await?)
        }
        PathAction::HardLink { from, to } => {
            done(session.hard_link(&parse(&from)?, &parse(&to)?).await?)
        }
        PathAction::Space { path } => PathOutcome::Reply(extension::space::reply(
            id,
            &session.space(&parse(&path)?).await?,
        )),
        PathAction::SpaceAvailable { path } => PathOutcome::Reply(
            extension::space::available_reply(id, &session.space(&parse(&path)?).await?),
        ),
        PathAction::ExpandPath { path } => {
            let expanded = extension::expand_path::run(session, &path)?;
            name_reply(id, expanded.as_bytes())
        }
        PathAction::Home { username } => {
            let home = extension::home_directory::run(session, &username)?;
            name_reply(id, home.as_bytes())
        }
        PathAction::Names { uids, gids } => PathOutcome::Reply(
            extension::users_groups_by_id::reply(id, session, &uids, &gids),
        ),
        PathAction::CheckFile { path, check } => PathOutcome::Reply(
            extension::check_file::of_path(id, session, &parse(&path)?, &check).await?,
        ),
        PathAction::Limits => PathOutcome::Reply(extension::limits(id)),
    })
}

/// What a client's flags come down to; `None` if it wants nothing. Any flag that only makes sense for writing asks for writing,
/// as in the reference.
fn intent(flags: OpenFlags) -> Option<OpenIntent> {
    let has = |flag| flags.contains(flag);
    let write = has(OpenFlags::WRITE)
        || has(OpenFlags::APPEND)
        || has(OpenFlags::CREATE)
        || has(OpenFlags::TRUNCATE);
    let read = has(OpenFlags::READ);
    (read || write).then_some(OpenIntent {
        read,
        write,
        append: has(OpenFlags::APPEND),
        create: has(OpenFlags::CREATE),
        truncate: has(OpenFlags::TRUNCATE),
        exclusive: has(OpenFlags::EXCLUSIVE),
    })
}

pub(super) fn attrs_reply(id: u32, metadata: &Metadata) -> PathOutcome {
    PathOutcome::Reply(encoded_attrs(id, metadata))
}

pub(super) fn encoded_attrs(id: u32, metadata: &Metadata) -> Bytes {
    let mut out = BytesMut::with_capacity(64);
    encode_attrs(&mut out, id, &attributes::to_wire(metadata));
    out.freeze()
}

/// One name without attributes, as REALPATH and READLINK answer (draft 6.11).
fn name_reply(id: u32, name: &[u8]) -> PathOutcome {
    let mut out = BytesMut::with_capacity(64 + 2 * name.len());
    let entry = NameEntry {
        filename: name,
        longname: name,
        attrs: Attrs::EMPTY,
    };
    encode_name(&mut out, id, &[entry]);
    PathOutcome::Reply(out.freeze())
}
