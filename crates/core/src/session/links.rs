//! Symbolic links.

use std::sync::Arc;

use parking_lot::Mutex;
use sftpgo_model::{Permission, VirtualPath};

use super::{CommandLog, Session};
use crate::access::Demand;
use crate::error::{OpErrorKind, OpResult};

const CREATE: Demand = Demand::entry(&[Permission::CreateSymlinks]);
const LIST: Demand = Demand::entry(&[Permission::List]);

impl Session {
    /// Makes a symbolic link at `link` that leads to `text`, as the client wrote it: relative to the directory of the link,
    /// or absolute in the client's view.
    ///
    /// An absolute text is stored relative to the link, so that it means the same on the server's disk and moves with the
    /// home. A text that climbs above the root is refused: other programs on the server would follow it outside.
    pub async fn symlink(&self, text: &[u8], link: &VirtualPath) -> OpResult<()> {
        self.refuse_fixed(link)?;
        let permit = self.permit(link, CREATE)?;
        let directory = link.parent();
        let leads_to = directory.resolve(text)?;
        if leads_to.is_root() || text.is_empty() {
            return Err(OpErrorKind::PermissionDenied.into());
        }
        let (there, inside) = self.inner.mounts.locate(&leads_to);
        let (here, own) = self.inner.mounts.locate(link);
        if !Arc::ptr_eq(there, here) {
            // No text on disk can lead from one storage into another and stay confined.
            return Err(OpErrorKind::PermissionDenied.into());
        }
        let stored = if text.starts_with(b"/") {
            relative(own.parent().components(), inside.components())
        } else if climbs_out(&own.parent(), text) {
            return Err(OpErrorKind::PermissionDenied.into());
        } else {
            text.to_vec()
        };
        let text_there = stored.clone();
        let permit = permit.only_if(move |real| !climbs_out(&real.parent(), &text_there));
        permit.storage()?.symlink(&stored, &permit.target).await?;
        self.log_command(&CommandLog {
            target: &permit.server_path(),
            ..CommandLog::new("Symlink", &there.server_path(&inside))
        });
        Ok(())
    }

    /// The text of a symbolic link as the client may see it: links that hold a path of the server are shown relative to the
    /// root of the client's view, or not at all; so are relative ones that lead out of the root.
    pub async fn read_link(&self, path: &VirtualPath) -> OpResult<Vec<u8>> {
        let real = Arc::<Mutex<_>>::default();
        let seen = Arc::clone(&real);
        let permit = self.permit(path, LIST)?.only_if(move |real| {
            *seen.lock() = Some(real.parent());
            true
        });
        let text = permit.storage()?.read_link(&permit.target).await?;
        if !text.starts_with(b"/") {
            let led = real.lock().take();
            let directory = led.unwrap_or_else(|| permit.target.path.parent());
            // One that was made inside may have been moved up with the directory that holds it.
            if climbs_out(&directory, &text) {
                return Err(OpErrorKind::PermissionDenied.into());
            }
            return Ok(text);
        }
        let inside = permit
            .inside_root(&text)
            .ok_or(OpErrorKind::PermissionDenied)?;
        Ok(permit
            .mount_point()
            .join_storage(&inside)?
            .as_bytes()
            .to_vec())
    }
}

/// The text that leads from a directory to a path, both given by their names from the same root.
fn relative<'a>(
    from: impl Iterator<Item = &'a [u8]>,
    to: impl Iterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let (from, to): (Vec<_>, Vec<_>) = (from.collect(), to.collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n(&b".."[..], from.len() - common);
    let names: Vec<&[u8]> = up.chain(to.into_iter().skip(common)).collect();
    if names.is_empty() {
        b".".to_vec()
    } else {
        names.join(&b'/')
    }
}

/// Whether a relative text has more `..` than there are directories to climb, at any point.
pub(super) fn climbs_out(directory: &sftpgo_model::StoragePath, text: &[u8]) -> bool {
    let mut depth = directory.components().count();
    for name in text.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => match depth.checked_sub(1) {
                Some(up) => depth = up,
                None => return true,
            },
            _ => depth += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use sftpgo_model::StoragePath;

    #[test]
    fn an_absolute_text_becomes_relative_to_the_link() {
        let text = |from: &str, to: &str| {
            let (from, to) = (
                StoragePath::parse(from.as_bytes()).unwrap(),
                StoragePath::parse(to.as_bytes()).unwrap(),
            );
            String::from_utf8(relative(from.components(), to.components())).unwrap()
        };
        assert_eq!(text("", "b/f"), "b/f");
        assert_eq!(text("a", "b/f"), "../b/f");
        assert_eq!(text("a/b", "a/f"), "../f");
        assert_eq!(text("a", "a"), ".");
    }

    #[test]
    fn climbing_above_the_root_is_noticed_at_any_point() {
        let directory = StoragePath::parse(b"a/b").unwrap();
        assert!(!climbs_out(&directory, b"../../c"));
        assert!(climbs_out(&directory, b"../../../etc/passwd"));
        assert!(climbs_out(&directory, b"../../../a/b/c"));
        assert!(!climbs_out(&directory, b"x/../../y"));
    }
}
