//! Many small files in one session, several of them on their way at once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sftpgo_wire::sftp::{Attrs, OpenFlags, Reply, client};

use crate::channel::{SftpChannel, handle_of, success, unexpected};
use crate::content::Content;
use crate::error::LoadError;

/// What to move.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    /// Directory on the server, without a slash at its end.
    pub(crate) dir: String,
    pub(crate) files: u32,
    /// Bytes per file.
    pub(crate) size: u32,
    /// Files on their way at once.
    pub(crate) depth: usize,
}

/// Whether files are sent or received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Direction {
    Put,
    Get,
}

/// Where a file is on its way. Its data and its CLOSE are sent together, as pipelining clients do: requests for one file
/// are done in the order received (draft 6).
#[derive(Debug, Clone, Copy)]
enum Step {
    Open,
    Data,
    Close,
}

/// The files of one run.
struct Run<'a> {
    channel: &'a mut SftpChannel,
    tree: &'a Tree,
    direction: Direction,
    in_flight: HashMap<u32, (u32, Step)>,
    begun: HashMap<u32, Instant>,
    took: Vec<Duration>,
}

/// The name of the file with this number.
pub(crate) fn file_name(number: u32) -> String {
    format!("f{number:06}")
}

/// The content of the file with this number.
pub(crate) fn file_content(number: u32) -> Content {
    Content::new(1_000_000 + u64::from(number))
}

/// Moves the files; how long each one took.
pub(crate) async fn small(
    channel: &mut SftpChannel,
    tree: &Tree,
    direction: Direction,
) -> Result<Vec<Duration>, LoadError> {
    let mut run = Run {
        channel,
        tree,
        direction,
        in_flight: HashMap::new(),
        begun: HashMap::new(),
        took: Vec::new(),
    };
    let mut next = 0;
    while next < tree.files || !run.begun.is_empty() {
        while next < tree.files && run.begun.len() < tree.depth {
            run.open(next);
            next += 1;
        }
        let reply = run.channel.reply().await?;
        run.take(reply)?;
    }
    Ok(run.took)
}

impl Run<'_> {
    fn open(&mut self, file: u32) {
        let path = format!("{}/{}", self.tree.dir, file_name(file));
        let flags = match self.direction {
            Direction::Put => OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE,
            Direction::Get => OpenFlags::READ,
        };
        let id = self.request(file, Step::Open);
        self.channel
            .send(|out| client::open(out, id, path.as_bytes(), flags, &Attrs::EMPTY));
        self.begun.insert(file, Instant::now());
    }

    fn request(&mut self, file: u32, step: Step) -> u32 {
        let id = self.channel.id();
        self.in_flight.insert(id, (file, step));
        id
    }

    fn take(&mut self, reply: Reply) -> Result<(), LoadError> {
        let step = reply.id().and_then(|id| self.in_flight.remove(&id));
        let Some((file, step)) = step else {
            return Err(LoadError::Wrong(format!("nobody asked {:?}", reply.id())));
        };
        match step {
            Step::Open => {
                let handle = handle_of("OPEN", &reply)?;
                self.move_data(file, &handle);
            }
            Step::Data => self.check_data(file, &reply)?,
            Step::Close => {
                success("CLOSE", &reply)?;
                let begun = self.begun.remove(&file);
                self.took.extend(begun.map(|begun| begun.elapsed()));
            }
        }
        Ok(())
    }

    fn move_data(&mut self, file: u32, handle: &Bytes) {
        let data = self.request(file, Step::Data);
        let close = self.request(file, Step::Close);
        let size = self.tree.size;
        let direction = self.direction;
        self.channel.send(|out| {
            match direction {
                Direction::Put => {
                    client::write_header(out, data, handle, 0, size as usize);
                    file_content(file).append(0, size as usize, out);
                }
                // One more byte than there is would find a file that is too long.
                Direction::Get => client::read(out, data, handle, 0, size + 1),
            }
            client::close(out, close, handle);
        });
    }

    fn check_data(&self, file: u32, reply: &Reply) -> Result<(), LoadError> {
        match (self.direction, reply) {
            (Direction::Put, reply) => success("WRITE", reply),
            (Direction::Get, Reply::Data { data, .. }) => {
                let bytes = data.to_bytes();
                if bytes.len() == self.tree.size as usize && file_content(file).matches(0, &bytes) {
                    return Ok(());
                }
                Err(LoadError::Wrong(format!(
                    "{} has wrong bytes",
                    file_name(file)
                )))
            }
            (Direction::Get, other) => Err(unexpected("READ", other)),
        }
    }
}
