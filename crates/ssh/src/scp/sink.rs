//! An upload: `scp -t`.

use sftpgo_core::model::VirtualPath;
use sftpgo_core::session::OpenIntent;
use sftpgo_core::transfer::Upload;
use sftpgo_core::{FileTime, OpError, OpErrorKind, OpResult, Session, SetAttributes};
use sftpgo_wire::scp::{Arguments, Complaint, PathPattern, Record, Reply, Times};

use super::peer::{Peer, Stop};
use super::{MAX_DEPTH, Outcome, complaint, expand, receive, shown};

/// Replaces what is there, or makes it.
const STORE: OpenIntent = OpenIntent {
    read: false,
    write: true,
    append: false,
    create: true,
    truncate: true,
    exclusive: false,
};

/// Where what comes next is stored.
#[derive(Debug)]
enum Place {
    /// In this directory, under its own name.
    Inside(VirtualPath),
    /// Under this name, since nothing, or a file, is there. With `slash` the client wrote it as a directory, and so a file
    /// cannot have it.
    As { path: VirtualPath, slash: bool },
}

/// A directory that the client has begun and not ended.
#[derive(Debug)]
struct Open {
    path: VirtualPath,
    /// Set when it ends: making entries changes the times.
    times: Option<Times>,
    mode: Option<u32>,
}

pub(super) struct Sink<'a> {
    session: &'a Session,
    peer: &'a mut Peer,
    arguments: &'a Arguments,
    outcome: &'a mut Outcome,
    open: Vec<Open>,
    /// Of the next file or directory.
    times: Option<Times>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(
        session: &'a Session,
        peer: &'a mut Peer,
        arguments: &'a Arguments,
        outcome: &'a mut Outcome,
    ) -> Self {
        Self {
            session,
            peer,
            arguments,
            outcome,
            open: Vec::new(),
            times: None,
        }
    }

    /// Takes records to the end of what the client sends: it may copy several things.
    pub(super) async fn run(mut self) -> Result<(), Stop> {
        let target = self.target().await?;
        self.peer.ok().await?;
        while let Some(record) = self.peer.inbox.record().await? {
            match record {
                Record::Times(times) => {
                    self.times = Some(times);
                    self.peer.ok().await?;
                }
                Record::File { mode, size, name } => self.file(&target, mode, size, &name).await?,
                Record::Directory { mode, name } => self.directory(&target, mode, &name).await?,
                Record::End => self.end().await?,
                // It goes on with its next file, if it can.
                Record::Complaint(told) => self.told(told)?,
            }
        }
        if self.open.is_empty() {
            return Ok(());
        }
        Err(Stop::protocol("the input ends within a directory"))
    }

    /// What the path of the command line means. As with OpenSSH's sink it is looked at once, before anything is stored.
    async fn target(&mut self) -> Result<Place, Stop> {
        let word = self
            .arguments
            .paths
            .first()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let pattern = PathPattern::parse(word);
        let refused =
            |error: &OpError| Stop::Fatal(complaint(self.session, &pattern.literal, error));
        let path = if pattern.is_wild() {
            let found = self
                .peer
                .beside(expand::expand(self.session, &pattern))
                .await?;
            match found.map_err(|error| refused(&error))?.as_slice() {
                [one] => one.clone(),
                _ => return Err(Stop::Fatal("scp: ambiguous target".to_owned())),
            }
        } else {
            VirtualPath::parse(&pattern.literal).map_err(|error| refused(&error.into()))?
        };
        // Whatever hides it from this account will refuse each file, by its name.
        let looked = self.peer.beside(self.session.look(&path)).await?;
        let is_dir = matches!(looked, Ok(Some(found)) if found.is_dir());
        if self.arguments.directory && !is_dir {
            let error = looked.err().unwrap_or(OpErrorKind::NotADirectory.into());
            return Err(refused(&error));
        }
        if is_dir {
            return Ok(Place::Inside(path));
        }
        let slash = pattern.literal.ends_with(b"/");
        Ok(Place::As { path, slash })
    }

    fn place(&self, target: &Place, name: &[u8], is_dir: bool) -> OpResult<VirtualPath> {
        if let Some(open) = self.open.last() {
            return Ok(open.path.join(name)?);
        }
        Ok(match target {
            Place::Inside(directory) => directory.join(name)?,
            Place::As { path, slash: true } if !is_dir => path.join(name)?,
            Place::As { path, .. } => path.clone(),
        })
    }

    async fn file(
        &mut self,
        target: &Place,
        mode: u32,
        size: u64,
        name: &[u8],
    ) -> Result<(), Stop> {
        let times = self.times.take();
        let path = match self.place(target, name, false) {
            Ok(path) => path,
            Err(error) => return self.refuse(name, &error).await,
        };
        let opened = self.peer.beside(open(self.session, &path, size)).await?;
        let upload = match opened {
            Ok(upload) => upload,
            Err(error) => return self.refuse(path.as_bytes(), &error).await,
        };
        self.peer.ok().await?;
        let received = receive::contents(self.session, self.peer, upload, size).await?;
        // Its own word on the file, before ours.
        let told = self.peer.inbox.verdict().await?;
        let upload = match (received, told) {
            (_, Reply::Complaint(told)) => {
                // What it sent instead of the rest is not the file: it is given up.
                self.told(told)?;
                return self
                    .refuse(path.as_bytes(), &OpErrorKind::Aborted.into())
                    .await;
            }
            (Err(error), Reply::Ok) => return self.refuse(path.as_bytes(), &error).await,
            (Ok(upload), Reply::Ok) => upload,
        };
        let preserved = self.preserved(mode);
        let finished = self.peer.beside(finish(upload, times, preserved)).await?;
        match finished {
            Ok(()) => self.peer.ok().await,
            Err(error) => self.refuse(path.as_bytes(), &error).await,
        }
    }

    async fn directory(&mut self, target: &Place, mode: u32, name: &[u8]) -> Result<(), Stop> {
        let times = self.times.take();
        if !self.arguments.recursive {
            return Err(Stop::protocol("received directory without -r"));
        }
        if self.open.len() >= MAX_DEPTH {
            let text = "too many directories within each other";
            let error = OpError::new(OpErrorKind::InvalidPath, text);
            return self.refuse(name, &error).await;
        }
        let path = match self.place(target, name, true) {
            Ok(path) => path,
            Err(error) => return self.refuse(name, &error).await,
        };
        let made = self.peer.beside(self.session.ensure_dir(&path)).await?;
        if let Err(error) = made {
            return self.refuse(path.as_bytes(), &error).await;
        }
        let mode = self.preserved(mode);
        self.open.push(Open { path, times, mode });
        self.peer.ok().await
    }

    async fn end(&mut self) -> Result<(), Stop> {
        let Some(Open { path, times, mode }) = self.open.pop() else {
            return Err(Stop::protocol("the end of a directory that was not begun"));
        };
        let session = self.session;
        let set = async {
            for change in [times.map(times_change), mode.map(mode_change)]
                .into_iter()
                .flatten()
            {
                if_allowed(session.set_attributes(&path, None, &change, true).await)?;
            }
            Ok(())
        };
        let set: OpResult<()> = self.peer.beside(set).await?;
        match set {
            Ok(()) => self.peer.ok().await,
            Err(error) => self.refuse(path.as_bytes(), &error).await,
        }
    }

    /// Modes count with `-p` only; new files and directories otherwise get those of this server.
    fn preserved(&self, mode: u32) -> Option<u32> {
        self.arguments.preserve.then_some(mode)
    }

    /// Complains about one file; the client goes on with the next.
    async fn refuse(&mut self, path: &[u8], error: &OpError) -> Result<(), Stop> {
        let text = complaint(self.session, path, error);
        self.peer.complain(false, &text).await?;
        self.outcome.note(text);
        Ok(())
    }

    /// Notes what the client complains about.
    fn told(&mut self, told: Complaint) -> Result<(), Stop> {
        let text = format!("the client: {}", shown(&told.text));
        if told.fatal {
            return Err(Stop::ByClient(text));
        }
        self.outcome.note(text);
        Ok(())
    }
}

async fn open(session: &Session, path: &VirtualPath, size: u64) -> OpResult<Upload> {
    let opened = session.open_write(path, STORE).await;
    opened.map_err(said_of_a_file)?.announce(size).await
}

/// Sets what the account may set, then completes the file, whether or not the former could be done.
async fn finish(upload: Upload, times: Option<Times>, mode: Option<u32>) -> OpResult<()> {
    let mut set = Ok(());
    for change in [times.map(times_change), mode.map(mode_change)]
        .into_iter()
        .flatten()
    {
        set = set.and(if_allowed(upload.set_attributes(None, &change).await));
    }
    upload.finish().await.and(set)
}

/// A client that preserves times and modes wants the file first of all.
fn if_allowed(result: OpResult<()>) -> OpResult<()> {
    match result {
        Err(error) if error.kind() == OpErrorKind::PermissionDenied => Ok(()),
        result => result,
    }
}

/// The kind that says so in SFTP has no words of its own for it.
fn said_of_a_file(error: OpError) -> OpError {
    if error.kind() == OpErrorKind::Unsupported {
        return OpErrorKind::IsADirectory.into();
    }
    error
}

fn times_change(times: Times) -> SetAttributes {
    let time = |seconds: u64| FileTime {
        seconds: i64::try_from(seconds).unwrap_or(i64::MAX),
        nanos: 0,
    };
    SetAttributes {
        times: Some((time(times.accessed), time(times.modified))),
        ..SetAttributes::default()
    }
}

fn mode_change(mode: u32) -> SetAttributes {
    SetAttributes {
        mode: Some(mode),
        ..SetAttributes::default()
    }
}
