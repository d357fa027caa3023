//! [`FileClient`]: what the clients of all protocols can do.

mod answer;
mod files;
mod scp;
mod sftp;
mod ssh;

use async_trait::async_trait;

pub use scp::{Scp, ScpFiles, quoted};
pub use sftp::Sftp;
pub use ssh::{Asked, Attempted, Ran, SshClient, connect_from, is_greeted};

/// Why a server refused, as far as a client can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such file.
    NotFound,
    /// Not allowed.
    Denied,
    /// Not possible.
    Failed,
    /// Nonsense.
    BadMessage,
    /// Not known to this server.
    Unsupported,
    /// Nothing is left to read.
    Eof,
    /// Anything else.
    Other,
}

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The kind.
    pub kind: Refusal,
    /// What the server says.
    pub message: String,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Anything else, or not told.
    Other,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    /// Permission bits, if the protocol tells.
    pub mode: Option<u32>,
    /// Seconds since the epoch, if the protocol tells.
    pub modified: Option<u32>,
}

/// A line of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name within its directory.
    pub name: Vec<u8>,
    /// What is known of it.
    pub stat: Stat,
}

/// The outcome of a request.
pub type Answer<T> = Result<T, Refused>;

/// A logged-in client. Paths are bytes, as on the wire.
#[async_trait]
pub trait FileClient: Send {
    /// Stores a whole file, replacing what is there.
    async fn put(&mut self, path: &[u8], data: &[u8]) -> Answer<()>;

    /// Adds to the end of a file, as a client does that resumes an upload.
    async fn append(&mut self, path: &[u8], data: &[u8]) -> Answer<()>;

    /// Reads a file from `offset` on.
    async fn get_from(&mut self, path: &[u8], offset: u64) -> Answer<Vec<u8>>;

    /// Reads a whole file.
    async fn get(&mut self, path: &[u8]) -> Answer<Vec<u8>> {
        self.get_from(path, 0).await
    }

    /// Every entry of a directory but `.` and `..`, in the server's order.
    async fn list(&mut self, path: &[u8]) -> Answer<Vec<Entry>>;

    /// What is known of a file.
    async fn stat(&mut self, path: &[u8]) -> Answer<Stat>;

    /// Removes a file or a symlink.
    async fn remove_file(&mut self, path: &[u8]) -> Answer<()>;

    /// Removes an empty directory.
    async fn remove_dir(&mut self, path: &[u8]) -> Answer<()>;

    /// Makes a directory.
    async fn create_dir(&mut self, path: &[u8]) -> Answer<()>;

    /// Renames, replacing an existing file.
    async fn rename(&mut self, from: &[u8], to: &[u8]) -> Answer<()>;

    /// Drops the connection without a word, as a client does whose cable is pulled.
    fn vanish(&self);
}
