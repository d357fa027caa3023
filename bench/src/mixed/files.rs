//! The operations on files and directories over SFTP.

use std::sync::Arc;

use bytes::Bytes;
use sftpgo_wire::sftp::{Extension, OpenFlags, Reply, StatusCode, client};

use super::folder::{Stored, job};
use super::weave::weave;
use super::worker::{Worker, bounded};
use crate::channel::{SftpChannel, success, unexpected};
use crate::download::{Reader, download};
use crate::error::LoadError;
use crate::listing::list;
use crate::upload::{Job, Writer, upload, upload_part};

impl Worker {
    /// An upload to a new name or over a file.
    pub(super) async fn put(&mut self) -> Result<(), LoadError> {
        let name = self.folder.place(&mut self.random);
        let stored = Stored::random(&mut self.random);
        let job = self.folder.job(&name, stored, &mut self.random);
        upload(&mut self.session.sftp, &job).await?;
        self.count_sent(stored.size);
        self.folder.keep(name, stored);
        Ok(())
    }

    /// A download, compared byte by byte.
    pub(super) async fn get(&mut self) -> Result<(), LoadError> {
        let Some((name, stored)) = self.folder.any(&mut self.random) else {
            return Ok(());
        };
        let job = self.folder.job(&name, stored, &mut self.random);
        download(&mut self.session.sftp, &job, None).await?;
        self.count_received(stored.size);
        Ok(())
    }

    /// `count` downloads and as many uploads at the same time on one channel.
    pub(super) async fn weave(&mut self, count: usize) -> Result<(), LoadError> {
        let old = self.folder.some(&mut self.random, count);
        let downloads: Vec<_> = old
            .iter()
            .map(|(name, stored)| self.folder.job(name, *stored, &mut self.random))
            .collect();
        let mut new = Vec::new();
        for _ in 0..count {
            // Never over a file that is read meanwhile: what its reader sees then is nobody's promise.
            let name = self.folder.new_name(&mut self.random);
            new.push((name, Stored::random(&mut self.random)));
        }
        let uploads: Vec<_> = new
            .iter()
            .map(|(name, stored)| self.folder.job(name, *stored, &mut self.random))
            .collect();
        weave(&mut self.session.sftp, &downloads, &uploads).await?;
        self.count_received(old.iter().map(|(_, stored)| stored.size).sum());
        self.count_sent(new.iter().map(|(_, stored)| stored.size).sum());
        for (name, stored) in new {
            self.folder.keep(name, stored);
        }
        while self.folder.is_full() {
            self.remove().await?;
        }
        Ok(())
    }

    /// A file that is sent in two parts: the second by APPEND, or at its offset.
    pub(super) async fn resume(&mut self) -> Result<(), LoadError> {
        let name = self.folder.place(&mut self.random);
        let stored = Stored::random(&mut self.random);
        let job = self.folder.job(&name, stored, &mut self.random);
        let half = stored.size / 2;
        let channel = &mut self.session.sftp;
        let handle = upload_part(channel, &job, half).await?;
        channel.close(&handle).await?;
        self.expect_size(&job.path, half).await?;
        let append = self.random.percent(50);
        let mut flags = OpenFlags::WRITE;
        if append {
            flags = flags | OpenFlags::APPEND;
        }
        let channel = &mut self.session.sftp;
        let handle = channel.open_file(&job.path, flags).await?;
        let mut writer = Writer::over(&job, handle, half);
        while !writer.is_done() {
            writer.ask(channel);
            let reply = channel.reply().await?;
            writer.take(&reply)?;
        }
        channel.close(writer.handle()).await?;
        self.expect_size(&job.path, stored.size).await?;
        self.count_sent(stored.size);
        self.folder.keep(name, stored);
        Ok(())
    }

    /// A new version beside a file, renamed over it.
    pub(super) async fn replace(&mut self) -> Result<(), LoadError> {
        let Some((name, _)) = self.folder.any(&mut self.random) else {
            return Ok(());
        };
        let beside = self.folder.new_name(&mut self.random);
        let stored = Stored::random(&mut self.random);
        let job = self.folder.job(&beside, stored, &mut self.random);
        upload(&mut self.session.sftp, &job).await?;
        let request = Extension::PosixRename {
            from: Bytes::from(self.folder.path(&beside)),
            to: Bytes::from(self.folder.path(&name)),
        };
        let channel = &mut self.session.sftp;
        channel
            .must("posix-rename", |out, id| {
                client::extended(out, id, &request);
            })
            .await?;
        self.count_sent(stored.size);
        self.folder.keep(name, stored);
        Ok(())
    }

    pub(super) async fn rename(&mut self) -> Result<(), LoadError> {
        let Some((name, stored)) = self.folder.any(&mut self.random) else {
            return Ok(());
        };
        let to = self.folder.new_name(&mut self.random);
        let paths = (self.folder.path(&name), self.folder.path(&to));
        let channel = &mut self.session.sftp;
        channel
            .must("RENAME", |out, id| {
                client::rename(out, id, &paths.0, &paths.1);
            })
            .await?;
        self.folder.forget(&name);
        self.folder.keep(to, stored);
        Ok(())
    }

    pub(super) async fn remove(&mut self) -> Result<(), LoadError> {
        let Some((name, _)) = self.folder.any(&mut self.random) else {
            return Ok(());
        };
        let path = self.folder.path(&name);
        let channel = &mut self.session.sftp;
        channel
            .must("REMOVE", |out, id| client::remove(out, id, &path))
            .await?;
        self.folder.forget(&name);
        Ok(())
    }

    /// The whole directory: every file once, of its size, and nothing else.
    pub(super) async fn list(&mut self) -> Result<(), LoadError> {
        let depth = 1 + self.random.index(4);
        let root = self.folder.root.clone();
        let listing = list(&mut self.session.sftp, root.as_bytes(), depth).await?;
        let mut seen = Vec::new();
        for entry in &listing.entries {
            let name = String::from_utf8_lossy(&entry.filename).into_owned();
            if self.folder.loose.contains_key(&name) {
                continue;
            }
            let size = self.folder.files().get(&name).map(|stored| stored.size);
            if size.is_none() || entry.attrs.size != size {
                let got = entry.attrs.size;
                return Err(LoadError::Wrong(format!(
                    "{name} is listed with {got:?} bytes, not {size:?}"
                )));
            }
            seen.push(name);
        }
        seen.sort_unstable();
        if seen.iter().eq(self.folder.files().keys()) {
            return Ok(());
        }
        let wanted: Vec<_> = self.folder.files().keys().collect();
        Err(LoadError::Wrong(format!("{seen:?} listed, not {wanted:?}")))
    }

    /// A directory with a few files and a directory in it: made, filled, renamed, emptied, removed.
    pub(super) async fn tree(&mut self) -> Result<(), LoadError> {
        let made = self.folder.new_name(&mut self.random);
        let first = self.folder.path(&format!("{made}-dir"));
        let second = self.folder.path(&format!("{made}-renamed"));
        let below = |dir: &[u8], name: &str| [dir, b"/", name.as_bytes()].concat();
        let channel = &mut self.session.sftp;
        channel.make_dir(&first).await?;
        channel.make_dir(&below(&first, "inner")).await?;
        let stored = Stored::random(&mut self.random);
        let inner = job(below(&first, "inner/file"), stored, &mut self.random);
        upload(channel, &inner).await?;
        channel
            .must("RENAME", |out, id| {
                client::rename(out, id, &first, &second);
            })
            .await?;
        let inner = job(below(&second, "inner/file"), stored, &mut self.random);
        download(channel, &inner, None).await?;
        let reply = channel
            .call(|out, id| client::rmdir(out, id, &second))
            .await?;
        if success("RMDIR", &reply).is_ok() {
            return Err(LoadError::Wrong("a full directory was removed".into()));
        }
        let names = list(channel, &second, 1).await?.entries;
        if names.len() != 1 || names.iter().any(|entry| entry.filename != "inner") {
            return Err(LoadError::Wrong(format!("{} entries, not 1", names.len())));
        }
        channel
            .must("REMOVE", |out, id| client::remove(out, id, &inner.path))
            .await?;
        for dir in [below(&second, "inner"), second] {
            channel
                .must("RMDIR", |out, id| client::rmdir(out, id, &dir))
                .await?;
        }
        self.count_sent(stored.size);
        self.count_received(stored.size);
        Ok(())
    }

    /// A channel that is closed in the midst of an upload or a download. What an earlier one left is looked at and
    /// removed first.
    pub(super) async fn abandon(&mut self) -> Result<(), LoadError> {
        self.remove_loose().await?;
        let mut channel = SftpChannel::open(&self.load.target, &self.session.login).await?;
        if self.random.percent(50) {
            let name = format!("loose {}", self.folder.new_name(&mut self.random));
            let stored = Stored::long(&mut self.random);
            let job = self.folder.job(&name, stored, &mut self.random);
            self.folder.loose.insert(name, stored);
            let mut writer = Writer::open(&mut channel, &job).await?;
            for _ in 0..self.random.below(20) {
                writer.ask(&mut channel);
                if writer.is_done() {
                    break;
                }
                let reply = channel.reply().await?;
                writer.take(&reply)?;
            }
        } else if let Some((name, stored)) = self.folder.any(&mut self.random) {
            let job = self.folder.job(&name, stored, &mut self.random);
            let mut reader = Reader::open(&mut channel, &job).await?;
            for _ in 0..self.random.below(20) {
                reader.ask(&mut channel);
                if reader.is_done() {
                    break;
                }
                let reply = channel.reply().await?;
                reader.take(&mut channel, reply)?;
            }
        }
        channel.abandon().await;
        Ok(())
    }

    /// What abandoned uploads left must be the beginning of what was sent.
    async fn remove_loose(&mut self) -> Result<(), LoadError> {
        for (name, stored) in std::mem::take(&mut self.folder.loose) {
            let path = self.folder.path(&name);
            check_beginning(&mut self.session.sftp, path.clone(), stored).await?;
            remove_if_there(&mut self.session.sftp, &path).await?;
        }
        Ok(())
    }

    async fn expect_size(&mut self, path: &[u8], size: u64) -> Result<(), LoadError> {
        let found = size_of(&mut self.session.sftp, path).await?;
        if found == Some(size) {
            return Ok(());
        }
        Err(LoadError::Wrong(format!("size {found:?}, not {size}")))
    }

    /// Downloads every file, has the server digest it, and lists the directory.
    pub(super) async fn verify(&mut self) -> Result<(), LoadError> {
        let load = Arc::clone(&self.load);
        bounded(&load, self.remove_loose()).await?;
        for (name, stored) in self.folder.files().clone() {
            let job = self.folder.job(&name, stored, &mut self.random);
            bounded(&load, download(&mut self.session.sftp, &job, None)).await?;
            bounded(&load, self.digest_of(vec![(name, stored)])).await?;
        }
        bounded(&load, self.list()).await
    }
}

/// The size of a file; `None` if there is none.
pub(super) async fn size_of(
    channel: &mut SftpChannel,
    path: &[u8],
) -> Result<Option<u64>, LoadError> {
    let reply = channel.call(|out, id| client::lstat(out, id, path)).await?;
    if let Reply::Attrs { attrs, .. } = reply {
        return Ok(attrs.size);
    }
    if is_missing(&reply) {
        return Ok(None);
    }
    Err(unexpected("LSTAT", &reply))
}

/// Whether a file, if there is one, is the beginning of what was sent. It may still grow meanwhile.
pub(super) async fn check_beginning(
    channel: &mut SftpChannel,
    path: Vec<u8>,
    stored: Stored,
) -> Result<(), LoadError> {
    let Some(size) = size_of(channel, &path).await? else {
        return Ok(());
    };
    if size > stored.size {
        let most = stored.size;
        return Err(LoadError::Wrong(format!("{size} bytes of {most}")));
    }
    let beginning = Job {
        path,
        content: stored.content,
        size,
        request: 32_768,
        depth: 16,
    };
    download(channel, &beginning, None).await?;
    Ok(())
}

/// Removes a file that may not be there.
pub(super) async fn remove_if_there(
    channel: &mut SftpChannel,
    path: &[u8],
) -> Result<(), LoadError> {
    let reply = channel
        .call(|out, id| client::remove(out, id, path))
        .await?;
    if is_missing(&reply) {
        return Ok(());
    }
    success("REMOVE", &reply)
}

fn is_missing(reply: &Reply) -> bool {
    let code = StatusCode::NoSuchFile;
    matches!(reply, Reply::Status { code: found, .. } if *found == code)
}
