//! Clients whose connections vanish in the midst of something, and which come back at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::Load;
use super::exec::Exec;
use super::files::{check_beginning, remove_if_there};
use super::folder::{Folder, Stored, job};
use super::random::Random;
use super::scp::Scp;
use super::worker::bounded;
use crate::download::{Reader, download};
use crate::error::LoadError;
use crate::listing::list;
use crate::session::Session;
use crate::socket::Cut;
use crate::upload::{Writer, upload};

/// A client that vanishes again and again.
struct Vanisher {
    load: Arc<Load>,
    random: Random,
    folder: Folder,
    /// A file that stays, to be downloaded.
    stays: (String, Stored),
}

/// Vanishes until the end of the run, then removes what it left.
pub(crate) async fn vanish(load: Arc<Load>, number: u64) {
    let mut random = Random::new(!load.seed.wrapping_mul(1_000_003).wrapping_add(number));
    let stays = ("stays".to_owned(), Stored::long(&mut random));
    let who = format!("vanishing client {number}");
    let mut vanisher = Vanisher {
        folder: Folder::new(format!("/v{number}")),
        random,
        stays,
        load: Arc::clone(&load),
    };
    if let Err(error) = bounded(&load, vanisher.begin()).await {
        load.tally.lock().failed(&who, "begin", &error);
        return;
    }
    while Instant::now() < load.end {
        let begun = Instant::now();
        let result = bounded(&load, vanisher.once()).await;
        {
            let mut tally = load.tally.lock();
            tally.vanished += 1;
            match result {
                Ok(()) => tally.done("vanish", begun.elapsed()),
                Err(error) => tally.failed(&who, "vanish", &error),
            }
        }
        // Of its own accord it comes back at once; now and then the server gets time to settle.
        let pause = vanisher.random.one_of(&[0, 0, 50, 300], 0);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    if let Err(error) = bounded(&load, vanisher.finish()).await {
        load.tally.lock().failed(&who, "clean up", &error);
    }
}

impl Vanisher {
    async fn begin(&mut self) -> Result<(), LoadError> {
        let mut session = Session::open(&self.load.target).await?;
        session.sftp.make_dir(self.folder.root.as_bytes()).await?;
        let (name, stored) = &self.stays;
        let job = self.folder.job(name, *stored, &mut self.random);
        upload(&mut session.sftp, &job).await?;
        session.part().await;
        Ok(())
    }

    /// Connects, looks at what is left of the last time, begins something, and is gone.
    async fn once(&mut self) -> Result<(), LoadError> {
        let mut session = Session::open(&self.load.target).await?;
        self.load.tally.lock().connections += 1;
        self.clean(&mut session).await?;
        let begun = match self.random.below(if self.load.scp { 5 } else { 3 }) {
            0 => self.begin_upload(&mut session).await,
            1 => self.begin_download(&mut session).await,
            2 => self.begin_digest(&session).await,
            3 => self.begin_scp_put(&session).await,
            _ => self.begin_scp_get(&session).await,
        };
        let how = self.random.one_of(&[Cut::Close, Cut::Reset], Cut::Close);
        session.vanish(how).await;
        begun
    }

    /// What uploads left must be the beginning of what was sent; it is removed, perhaps while the server still writes.
    async fn clean(&mut self, session: &mut Session) -> Result<(), LoadError> {
        let root = self.folder.root.clone();
        for entry in list(&mut session.sftp, root.as_bytes(), 1).await?.entries {
            let name = String::from_utf8_lossy(&entry.filename).into_owned();
            if name == self.stays.0 || name.starts_with(".sftpgo-upload.") {
                continue;
            }
            let path = self.folder.path(&name);
            let Some(stored) = self.folder.loose.get(&name).copied() else {
                return Err(LoadError::Wrong(format!("{name} was never sent")));
            };
            check_beginning(&mut session.sftp, path.clone(), stored).await?;
            remove_if_there(&mut session.sftp, &path).await?;
        }
        Ok(())
    }

    /// The name stays known: the server may still be about to finish what vanished long ago.
    fn loose(&mut self) -> (String, Stored) {
        let name = format!("loose {}", self.folder.new_name(&mut self.random));
        let stored = Stored::long(&mut self.random);
        self.folder.loose.insert(name.clone(), stored);
        (name, stored)
    }

    async fn begin_upload(&mut self, session: &mut Session) -> Result<(), LoadError> {
        let (name, stored) = self.loose();
        let job = self.folder.job(&name, stored, &mut self.random);
        let mut writer = Writer::open(&mut session.sftp, &job).await?;
        for _ in 0..self.random.below(30) {
            writer.ask(&mut session.sftp);
            if writer.is_done() {
                break;
            }
            let reply = session.sftp.reply().await?;
            writer.take(&reply)?;
        }
        Ok(())
    }

    async fn begin_download(&mut self, session: &mut Session) -> Result<(), LoadError> {
        let (name, stored) = &self.stays;
        let job = job(self.folder.path(name), *stored, &mut self.random);
        let mut reader = Reader::open(&mut session.sftp, &job).await?;
        for _ in 0..self.random.below(30) {
            reader.ask(&mut session.sftp);
            if reader.is_done() {
                break;
            }
            let reply = session.sftp.reply().await?;
            reader.take(&mut session.sftp, reply)?;
        }
        Ok(())
    }

    async fn begin_digest(&mut self, session: &Session) -> Result<(), LoadError> {
        let line = b"sha256sum".to_vec();
        let exec = Exec::start(&self.load.target, &session.login, line).await?;
        exec.send(BytesMut::zeroed(200_000)).await
    }

    async fn begin_scp_put(&mut self, session: &Session) -> Result<(), LoadError> {
        let (name, stored) = self.loose();
        let path = self.folder.path(&name);
        let mut scp = Scp::start(&self.load.target, &session.login, "-t", path).await?;
        scp.agreed().await?;
        scp.begin(&name, stored.size).await?;
        scp.data(&stored, self.random.below(stored.size)).await
    }

    async fn begin_scp_get(&mut self, session: &Session) -> Result<(), LoadError> {
        let (name, stored) = self.stays.clone();
        let path = self.folder.path(&name);
        let mut scp = Scp::start(&self.load.target, &session.login, "-f", path).await?;
        scp.agree().await?;
        scp.next_record().await?;
        scp.agree().await?;
        scp.compare(&stored, self.random.below(stored.size)).await
    }

    /// Waits until the server has settled what vanished last, and removes what is left.
    async fn finish(&mut self) -> Result<(), LoadError> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut session = Session::open(&self.load.target).await?;
        self.clean(&mut session).await?;
        let (name, stored) = &self.stays;
        let job = job(self.folder.path(name), *stored, &mut self.random);
        download(&mut session.sftp, &job, None).await?;
        session.part().await;
        Ok(())
    }
}
