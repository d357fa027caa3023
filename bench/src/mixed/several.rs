//! Several channels of one connection at once, of different kinds.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, try_join_all};

use super::digest::{of_files, of_input};
use super::folder::Stored;
use super::scp::{Entry, Scp};
use super::weave::weave;
use super::worker::Worker;
use crate::channel::SftpChannel;
use crate::download::download;
use crate::error::LoadError;
use crate::target::{Login, Target};
use crate::upload::Job;

type Work<'a> = BoxFuture<'a, Result<(), LoadError>>;

impl Worker {
    /// On one connection: a download, a download with an upload beside it, two digests, and an scp each way.
    pub(super) async fn several_channels(&mut self) -> Result<(), LoadError> {
        let Some((name, stored)) = self.folder.any(&mut self.random) else {
            return Ok(());
        };
        let read = [(); 3].map(|()| self.folder.job(&name, stored, &mut self.random));
        let path = self.folder.path(&name);
        let sent = self.new_file();
        let upload = self.folder.job(&sent.0, sent.1, &mut self.random);
        let input = Stored::random(&mut self.random);
        let digested = [(path.clone(), stored)];
        let (target, login) = (&self.load.target, &self.session.login);
        let [first, second, third] = &read;
        let mut works: Vec<Work<'_>> = vec![
            download(&mut self.session.sftp, first, None)
                .map(|short| short.map(|_| ()))
                .boxed(),
            on_channel(target, login, second, Some(&upload)).boxed(),
            on_channel(target, login, third, None).boxed(),
            of_input(target, login, "sha256sum", &input).boxed(),
        ];
        works.push(of_files(target, login, "md5sum", &digested).boxed());
        let copied = (format!("{}-scp", sent.0), sent.1);
        let copied_path = self.folder.path(&copied.0);
        if self.load.scp {
            works.push(scp_get(target, login, path, name.clone(), stored).boxed());
            works.push(scp_put(target, login, copied_path, copied.clone()).boxed());
        }
        try_join_all(works).await?;
        self.count_received(4 * stored.size);
        self.count_sent(2 * sent.1.size);
        self.folder.keep(sent.0, sent.1);
        if self.load.scp {
            self.folder.keep(copied.0, copied.1);
        }
        while self.folder.is_full() {
            self.remove().await?;
        }
        Ok(())
    }

    fn new_file(&mut self) -> (String, Stored) {
        let name = self.folder.new_name(&mut self.random);
        (name, Stored::random(&mut self.random))
    }
}

/// An SFTP channel of its own, with one download and perhaps an upload.
async fn on_channel(
    target: &Arc<Target>,
    login: &Login,
    read: &Job,
    write: Option<&Job>,
) -> Result<(), LoadError> {
    let mut channel = SftpChannel::open(target, login).await?;
    let uploads: Vec<_> = write.into_iter().cloned().collect();
    weave(&mut channel, std::slice::from_ref(read), &uploads).await?;
    channel.part().await;
    Ok(())
}

async fn scp_get(
    target: &Arc<Target>,
    login: &Login,
    path: Vec<u8>,
    name: String,
    stored: Stored,
) -> Result<(), LoadError> {
    let scp = Scp::start(target, login, "-f", path).await?;
    scp.get(&[Entry::File(name, stored)]).await?;
    Ok(())
}

async fn scp_put(
    target: &Arc<Target>,
    login: &Login,
    path: Vec<u8>,
    (name, stored): (String, Stored),
) -> Result<(), LoadError> {
    let scp = Scp::start(target, login, "-t", path).await?;
    scp.put(&[Entry::File(name, stored)], false).await
}
