//! The operations by exec requests: digests and scp.

use super::digest::{PROGRAMS, of_files, of_input};
use super::folder::Stored;
use super::scp::{Entry, Scp};
use super::worker::Worker;
use crate::error::LoadError;

impl Worker {
    /// The digest of one to three files.
    pub(super) async fn digest_files(&mut self) -> Result<(), LoadError> {
        let count = 1 + self.random.index(3);
        let files = self.folder.some(&mut self.random, count);
        if files.is_empty() {
            return Ok(());
        }
        self.digest_of(files).await
    }

    pub(super) async fn digest_of(
        &mut self,
        files: Vec<(String, Stored)>,
    ) -> Result<(), LoadError> {
        let program = self.random.one_of(PROGRAMS, "md5sum");
        let files: Vec<_> = files
            .into_iter()
            .map(|(name, stored)| (self.folder.path(&name), stored))
            .collect();
        of_files(&self.load.target, &self.session.login, program, &files).await
    }

    /// The digest of what is sent.
    pub(super) async fn digest_input(&mut self) -> Result<(), LoadError> {
        let program = self.random.one_of(PROGRAMS, "md5sum");
        let stored = Stored::random(&mut self.random);
        of_input(&self.load.target, &self.session.login, program, &stored).await
    }

    async fn scp(&self, options: &str, path: Vec<u8>) -> Result<Scp, LoadError> {
        Scp::start(&self.load.target, &self.session.login, options, path).await
    }

    /// An upload with the name in the command or in the record.
    pub(super) async fn scp_put(&mut self) -> Result<(), LoadError> {
        let name = self.folder.place(&mut self.random);
        let stored = Stored::random(&mut self.random);
        let entry = [Entry::File(name.clone(), stored)];
        let times = self.random.percent(30);
        let options = if times { "-p -t" } else { "-t" };
        let path = if self.random.percent(50) {
            self.folder.path(&name)
        } else {
            self.folder.root.clone().into_bytes()
        };
        let scp = self.scp(options, path).await?;
        scp.put(&entry, times).await?;
        self.count_sent(stored.size);
        self.folder.keep(name, stored);
        Ok(())
    }

    /// A download, compared byte by byte.
    pub(super) async fn scp_get(&mut self) -> Result<(), LoadError> {
        let Some((name, stored)) = self.folder.any(&mut self.random) else {
            return Ok(());
        };
        let options = self.random.one_of(&["-f", "-p -f"], "-f");
        let scp = self.scp(options, self.folder.path(&name)).await?;
        let wanted = [Entry::File(name, stored)];
        let got = scp.get(&wanted).await?;
        self.count_received(stored.size);
        if got == wanted {
            return Ok(());
        }
        Err(LoadError::Wrong(format!("scp: {got:?}, not {wanted:?}")))
    }

    /// A tree sent, received and removed.
    pub(super) async fn scp_tree(&mut self) -> Result<(), LoadError> {
        let made = self.folder.new_name(&mut self.random);
        let root = format!("{made} tree");
        let mut random = self.random.clone();
        let mut file = |name: &str| Entry::File(name.into(), Stored::random(&mut random));
        let entries = [
            Entry::Enter(root.clone()),
            file("a"),
            file("b b"),
            Entry::Enter("inner".into()),
            file("c"),
            Entry::Leave,
            Entry::Leave,
        ];
        self.random = random;
        let home = self.folder.root.clone().into_bytes();
        let scp = self.scp("-r -t", home).await?;
        scp.put(&entries, false).await?;
        let scp = self.scp("-r -f", self.folder.path(&root)).await?;
        let got = scp.get(&entries).await?;
        let sizes = got.iter().map(|entry| match entry {
            Entry::File(_, stored) => stored.size,
            Entry::Enter(_) | Entry::Leave => 0,
        });
        let bytes: u64 = sizes.sum();
        self.count_sent(bytes);
        self.count_received(bytes);
        self.remove_scp_tree(&root).await?;
        // The order within a directory is the server's.
        if paths(&got) == paths(&entries) {
            return Ok(());
        }
        Err(LoadError::Wrong(format!("scp: {got:?}, not {entries:?}")))
    }

    async fn remove_scp_tree(&mut self, root: &str) -> Result<(), LoadError> {
        use sftpgo_wire::sftp::client;
        let channel = &mut self.session.sftp;
        for name in ["a", "b b", "inner/c"] {
            let path = self.folder.path(&format!("{root}/{name}"));
            channel
                .must("REMOVE", |out, id| client::remove(out, id, &path))
                .await?;
        }
        for name in [format!("{root}/inner"), root.to_owned()] {
            let path = self.folder.path(&name);
            channel
                .must("RMDIR", |out, id| client::rmdir(out, id, &path))
                .await?;
        }
        Ok(())
    }

    /// A transfer whose channel is closed in the midst of a file.
    pub(super) async fn scp_abandon(&mut self) -> Result<(), LoadError> {
        if self.random.percent(50) {
            let name = format!("loose {}", self.folder.new_name(&mut self.random));
            let stored = Stored::long(&mut self.random);
            self.folder.loose.insert(name.clone(), stored);
            let mut scp = self.scp("-t", self.folder.path(&name)).await?;
            scp.agreed().await?;
            scp.begin(&name, stored.size).await?;
            scp.data(&stored, self.random.below(stored.size)).await?;
            return scp.abandon().await;
        }
        let Some((name, stored)) = self.folder.any(&mut self.random) else {
            return Ok(());
        };
        let mut scp = self.scp("-f", self.folder.path(&name)).await?;
        scp.agree().await?;
        scp.next_record().await?;
        scp.agree().await?;
        scp.compare(&stored, stored.size / 2).await?;
        scp.abandon().await
    }
}

/// Every entry by its path, sorted; directories that are not left, or left twice, make a path that nobody expects.
fn paths(entries: &[Entry]) -> Vec<(String, Option<Stored>)> {
    let mut dirs: Vec<&str> = Vec::new();
    let mut paths = Vec::new();
    for entry in entries {
        let (name, stored) = match entry {
            Entry::File(name, stored) => (name.as_str(), Some(*stored)),
            Entry::Enter(name) => (name.as_str(), None),
            Entry::Leave => {
                if dirs.pop().is_none() {
                    paths.push(("..".to_owned(), None));
                }
                continue;
            }
        };
        paths.push((format!("{}/{name}", dirs.join("/")), stored));
        if stored.is_none() {
            dirs.push(name);
        }
    }
    if !dirs.is_empty() {
        paths.push((format!("in {}", dirs.join("/")), None));
    }
    paths.sort_by(|(a, _), (b, _)| a.cmp(b));
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;

    #[test]
    fn trees_are_alike_in_any_order_and_not_in_another_shape() {
        let stored = Stored {
            content: Content::new(1),
            size: 1,
        };
        let enter = |name: &str| Entry::Enter(name.into());
        let file = |name: &str| Entry::File(name.into(), stored);
        let one = [enter("d"), file("a"), file("b"), Entry::Leave];
        let other = [enter("d"), file("b"), file("a"), Entry::Leave];
        assert_eq!(paths(&one), paths(&other));
        let shapes = [
            vec![enter("d"), file("a"), Entry::Leave, file("b")],
            vec![enter("d"), file("a"), file("b")],
            vec![enter("d"), file("a"), file("b"), Entry::Leave, Entry::Leave],
        ];
        assert!(shapes.iter().all(|shape| paths(shape) != paths(&one)));
    }
}
