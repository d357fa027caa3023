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
        let mut got = scp.get(&entries).await?;
        let sizes = got.iter().map(|entry| match entry {
            Entry::File(_, stored) => stored.size,
            Entry::Enter(_) | Entry::Leave => 0,
        });
        let bytes: u64 = sizes.sum();
        self.count_sent(bytes);
        self.count_received(bytes);
        self.remove_scp_tree(&root).await?;
        // Files come before directories, in any order.
        let files = got.get_mut(1..3).unwrap_or_default();
        files.sort_by_key(|entry| match entry {
            Entry::File(name, _) => name.clone(),
            Entry::Enter(_) | Entry::Leave => String::new(),
        });
        if got == entries {
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
