//! A download: `scp -f`.

use std::collections::VecDeque;

use bytes::Bytes;
use sftpgo_core::model::VirtualPath;
use sftpgo_core::session::DirectoryListing;
use sftpgo_core::transfer::Download;
use sftpgo_core::{Entry, FileKind, Metadata, OpError, OpErrorKind, OpResult, Session};
use sftpgo_wire::scp::{Arguments, PathPattern, Record, announced_mode};

use super::peer::{Peer, Stop};
use super::send::{self, Announced};
use super::{MAX_DEPTH, Outcome, complaint, expand};

/// Entries taken from a listing at a time.
const PAGE: usize = 100;

/// A directory that was begun and not ended.
struct Open {
    path: VirtualPath,
    attributes: Metadata,
    listing: DirectoryListing,
    page: VecDeque<Entry>,
}

/// What is at a path.
enum Found {
    File(Download),
    Directory(Metadata, DirectoryListing),
}

pub(super) struct Source<'a> {
    session: &'a Session,
    peer: &'a mut Peer,
    arguments: &'a Arguments,
    outcome: &'a mut Outcome,
    open: Vec<Open>,
}

impl<'a> Source<'a> {
    pub(super) fn new(
        session: &'a Session,
        peer: &'a mut Peer,
        arguments: &'a Arguments,
        outcome: &'a mut Outcome,
    ) -> Self {
        peer.inbox.only_replies();
        Self {
            session,
            peer,
            arguments,
            outcome,
            open: Vec::new(),
        }
    }

    /// Sends everything that was asked for.
    pub(super) async fn run(mut self) -> Result<(), Stop> {
        // The client says that it is ready.
        if let Err(text) = send::answer(self.peer.inbox.reply().await?)? {
            return Err(Stop::ByClient(text));
        }
        for word in &self.arguments.paths {
            let pattern = PathPattern::parse(word);
            let found = self
                .peer
                .beside(expand::expand(self.session, &pattern))
                .await?;
            match found {
                Ok(paths) => {
                    for path in paths {
                        self.tree(path).await?;
                    }
                }
                Err(error) => self.complain(&pattern.literal, &error).await?,
            }
        }
        Ok(())
    }

    /// Sends a file, or a directory with all that is in it.
    async fn tree(&mut self, path: VirtualPath) -> Result<(), Stop> {
        self.entry(path, None).await?;
        while let Some(open) = self.open.last_mut() {
            if let Some(entry) = open.page.pop_front() {
                let Ok(path) = open.path.join(&entry.name) else {
                    let path = open.path.clone();
                    let error = OpError::new(OpErrorKind::InvalidPath, "a path in it is too long");
                    self.complain(path.as_bytes(), &error).await?;
                    continue;
                };
                // Devices, pipes and sockets are left out (reference 7.4).
                if entry.metadata.kind != FileKind::Other {
                    self.entry(path, Some(entry.metadata.kind)).await?;
                }
                continue;
            }
            let next = self.peer.beside(open.listing.next_page(PAGE)).await?;
            match next {
                Ok(page) if page.is_empty() => self.end().await?,
                Ok(page) => open.page = page.into(),
                Err(error) => {
                    let path = open.path.clone();
                    self.complain(path.as_bytes(), &error).await?;
                    self.end().await?;
                }
            }
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<(), Stop> {
        self.open.pop();
        if let Err(text) = send::tell(self.peer, &Record::End).await? {
            self.outcome.note(text);
        }
        Ok(())
    }

    /// Sends a file, or begins a directory.
    async fn entry(&mut self, path: VirtualPath, kind: Option<FileKind>) -> Result<(), Stop> {
        if path.file_name().contains(&b'\n') {
            let error = OpError::new(
                OpErrorKind::InvalidPath,
                "a name with a line break cannot be sent by this protocol",
            );
            return self.complain(path.as_bytes(), &error).await;
        }
        let found = self.peer.beside(find(self.session, &path, kind)).await?;
        match found {
            Ok(Found::File(download)) => self.file(path, download).await,
            Ok(Found::Directory(attributes, listing)) => {
                self.directory(path, attributes, listing).await
            }
            Err(error) => self.complain(path.as_bytes(), &error).await,
        }
    }

    async fn file(&mut self, path: VirtualPath, download: Download) -> Result<(), Stop> {
        let announced = Announced {
            name: path.file_name(),
            path: path.as_bytes(),
            preserve: self.arguments.preserve,
        };
        let sent = send::file(self.session, self.peer, download, announced).await?;
        if let Err(text) = sent {
            self.outcome.note(text);
        }
        Ok(())
    }

    async fn directory(
        &mut self,
        path: VirtualPath,
        attributes: Metadata,
        listing: DirectoryListing,
    ) -> Result<(), Stop> {
        if let Some(why) = self.why_not(&attributes) {
            let error = OpError::new(OpErrorKind::IsADirectory, why);
            return self.complain(path.as_bytes(), &error).await;
        }
        let times = send::times(attributes.modified.seconds);
        let record = Record::Directory {
            mode: announced_mode(attributes.mode, true),
            name: self.name_of(&path),
        };
        let records = [self.arguments.preserve.then_some(times), Some(record)];
        for record in records.iter().flatten() {
            if let Err(text) = send::tell(self.peer, record).await? {
                // It will not have it.
                self.outcome.note(text);
                return Ok(());
            }
        }
        self.open.push(Open {
            path,
            attributes,
            listing,
            page: VecDeque::new(),
        });
        Ok(())
    }

    /// Why a directory is not sent.
    fn why_not(&self, attributes: &Metadata) -> Option<&'static str> {
        let same = |open: &Open| attributes.id.is_some() && open.attributes.id == attributes.id;
        if !self.arguments.recursive {
            Some("not a regular file")
        } else if self.open.iter().any(same) {
            Some("a link leads back to a directory above it")
        } else if self.open.len() >= MAX_DEPTH {
            Some("too many directories within each other")
        } else {
            None
        }
    }

    /// The root has no name; clients that are told none, or `.`, refuse it.
    fn name_of(&self, path: &VirtualPath) -> Bytes {
        let name = path.file_name();
        if !name.is_empty() {
            return Bytes::copy_from_slice(name);
        }
        let user = self.session.username();
        match VirtualPath::root().join(user.as_bytes()) {
            Ok(_) => Bytes::copy_from_slice(user.as_bytes()),
            Err(_) => Bytes::from_static(b"home"),
        }
    }

    /// Complains about one path, and goes on.
    async fn complain(&mut self, path: &[u8], error: &OpError) -> Result<(), Stop> {
        let text = complaint(self.session, path, error);
        self.peer.complain(false, &text).await?;
        self.outcome.note(text);
        Ok(())
    }
}

/// Opens what is at a path. A directory asks for other permissions than a file, and what it is may not be known: a path that
/// was given, or a link.
async fn find(session: &Session, path: &VirtualPath, kind: Option<FileKind>) -> OpResult<Found> {
    if kind == Some(FileKind::Directory) {
        let (attributes, listing) = session.open_directory(path).await?;
        return Ok(Found::Directory(attributes, listing));
    }
    let error = match session.open_read(path).await {
        Ok(download) => return Ok(Found::File(download)),
        Err(error) => error,
    };
    let may_be_directory = matches!(
        error.kind(),
        OpErrorKind::IsADirectory | OpErrorKind::PermissionDenied | OpErrorKind::NameNotAllowed
    );
    if may_be_directory && kind != Some(FileKind::File) {
        match session.open_directory(path).await {
            Ok((attributes, listing)) => return Ok(Found::Directory(attributes, listing)),
            // It is one, and this is why it cannot be had.
            Err(denied) if error.kind() == OpErrorKind::IsADirectory => return Err(denied),
            Err(_) => {}
        }
    }
    Err(error)
}
