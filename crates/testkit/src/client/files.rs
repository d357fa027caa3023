//! [`FileClient`] over SFTP, with pipelined transfers as real clients do them.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use sftpgo_wire::sftp::{Extension, OpenFlags, client};

use super::sftp::Sftp;
use super::{Answer, Entry, FileClient, Stat, answer};

/// Bytes of a request, as OpenSSH's client.
const BLOCK: usize = 32_768;

impl Sftp {
    /// Writes `data` at `offset` with all requests in flight, then closes. The first refusal wins; CLOSE is sent anyway.
    async fn write_and_close(&mut self, handle: Bytes, offset: u64, data: &[u8]) -> Answer<()> {
        let mut ids = Vec::new();
        let mut at = offset;
        for block in data.chunks(BLOCK) {
            ids.push(self.send(|out, id| client::write(out, id, &handle, at, block)));
            at += block.len() as u64;
        }
        ids.push(self.send(|out, id| client::close(out, id, &handle)));
        let mut result = Ok(());
        for id in ids {
            let answer = answer::done(self.reply_to(id).await);
            result = result.and(answer);
        }
        result
    }
}

#[async_trait]
impl FileClient for Sftp {
    async fn put(&mut self, path: &[u8], data: &[u8]) -> Answer<()> {
        let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
        let handle = self.open_file(path, flags).await?;
        self.write_and_close(handle, 0, data).await
    }

    async fn append(&mut self, path: &[u8], data: &[u8]) -> Answer<()> {
        let size = self.stat(path).await?.size;
        let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::APPEND;
        let handle = self.open_file(path, flags).await?;
        self.write_and_close(handle, size, data).await
    }

    async fn get_from(&mut self, path: &[u8], offset: u64) -> Answer<Vec<u8>> {
        let handle = self.open_file(path, OpenFlags::READ).await?;
        let mut content = BytesMut::new();
        let result = loop {
            let at = offset + content.len() as u64;
            match self.read(&handle, at, BLOCK as u32).await {
                Ok(Some(data)) => content.extend_from_slice(&data),
                Ok(None) => break Ok(content.to_vec()),
                Err(refused) => break Err(refused),
            }
        };
        let closed = self.close(&handle).await;
        let content = result?;
        closed.map(|()| content)
    }

    async fn list(&mut self, path: &[u8]) -> Answer<Vec<Entry>> {
        let handle = self.opendir(path).await?;
        let mut entries = Vec::new();
        while let Some(names) = self.readdir(&handle).await? {
            let real = names
                .iter()
                .filter(|name| !matches!(&*name.filename, b"." | b".."));
            entries.extend(real.map(answer::entry));
        }
        self.close(&handle).await?;
        Ok(entries)
    }

    async fn stat(&mut self, path: &[u8]) -> Answer<Stat> {
        self.stat_attrs(path).await.map(answer::stat)
    }

    async fn remove_file(&mut self, path: &[u8]) -> Answer<()> {
        self.remove(path).await
    }

    async fn remove_dir(&mut self, path: &[u8]) -> Answer<()> {
        self.rmdir(path).await
    }

    async fn create_dir(&mut self, path: &[u8]) -> Answer<()> {
        self.mkdir(path).await
    }

    async fn rename(&mut self, from: &[u8], to: &[u8]) -> Answer<()> {
        let from = Bytes::copy_from_slice(from);
        let to = Bytes::copy_from_slice(to);
        self.extended(&Extension::PosixRename { from, to }).await
    }

    fn vanish(&self) {
        self.ssh().vanish();
    }
}
