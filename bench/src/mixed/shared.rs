//! A large directory that all sessions list, and in which they make and remove files meanwhile.

use std::sync::Arc;

use bytes::Bytes;
use sftpgo_wire::sftp::client;

use super::folder::{Stored, job};
use super::worker::Worker;
use crate::content::Content;
use crate::error::LoadError;
use crate::listing::list;
use crate::session::Session;
use crate::small::{Direction, Tree, file_name, small};
use crate::target::Target;
use crate::upload::upload;

const DIR: &str = "/shared";
/// More than a few answers to READDIR hold.
const FILES: u32 = 1500;
const SIZE: u32 = 10;

/// Fills the directory with files that stay.
pub(crate) async fn prepare(target: &Arc<Target>) -> Result<(), LoadError> {
    let mut session = Session::open(target).await?;
    session.sftp.make_dir(DIR.as_bytes()).await?;
    let tree = Tree {
        dir: DIR.into(),
        files: FILES,
        size: SIZE,
        depth: 64,
    };
    small(&mut session.sftp, &tree, Direction::Put).await?;
    session.part().await;
    Ok(())
}

impl Worker {
    /// Makes a file in the large directory, lists it, removes the file. Files that stay are listed once each, and so is
    /// the own one; nothing is listed twice.
    pub(super) async fn list_shared(&mut self) -> Result<(), LoadError> {
        let own = format!("of-{}-{}", self.number, self.random.number());
        let path = format!("{DIR}/{own}").into_bytes();
        let stored = Stored {
            content: Content::new(self.random.number()),
            size: 100,
        };
        let job = job(path.clone(), stored, &mut self.random);
        let channel = &mut self.session.sftp;
        upload(channel, &job).await?;
        let depth = 1 + self.random.index(4);
        let entries = list(channel, DIR.as_bytes(), depth).await?.entries;
        channel
            .must("REMOVE", |out, id| client::remove(out, id, &path))
            .await?;
        let names = entries.into_iter().map(|entry| entry.filename);
        check(names.collect(), &own)
    }
}

fn check(mut names: Vec<Bytes>, own: &str) -> Result<(), LoadError> {
    names.sort_unstable();
    let wrong = |text: String| Err(LoadError::Wrong(text));
    if let Some([name, _]) = names.array_windows().find(|[a, b]| a == b) {
        return wrong(format!("{} is listed twice", String::from_utf8_lossy(name)));
    }
    let listed = |name: &str| names.binary_search_by(|n| n.as_ref().cmp(name.as_bytes()));
    if listed(own).is_err() {
        return wrong(format!("{own} is not listed"));
    }
    match (0..FILES).map(file_name).find(|name| listed(name).is_err()) {
        Some(missing) => wrong(format!("{missing} is not listed")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_and_a_doubled_name_are_found() {
        let mut names: Vec<_> = (0..FILES).map(|n| Bytes::from(file_name(n))).collect();
        assert!(check(names.clone(), "own").is_err());
        names.push(Bytes::from_static(b"own"));
        names.push(Bytes::from_static(b"of-3-1"));
        assert!(check(names.clone(), "own").is_ok());
        assert!(check(names.split_off(1), "own").is_err());
        let mut doubled: Vec<_> = (0..FILES).map(|n| Bytes::from(file_name(n))).collect();
        doubled.extend([Bytes::from_static(b"own"), Bytes::from_static(b"own")]);
        assert!(check(doubled, "own").is_err());
    }
}
