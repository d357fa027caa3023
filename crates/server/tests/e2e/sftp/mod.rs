//! The SFTP protocol, request by request: which status answers what (reference D.1 and D.2), and what a server must take
//! from clients that do not behave.

mod answers;
mod attributes;
mod check_file;
mod clients;
mod copy_data;
mod extensions;
mod handles;
mod hard_links;
mod links;
mod sequences;
mod wire;

use std::fs;
use std::path::PathBuf;

use sftpgo_testkit::{Account, Answer, Refusal, Sftp, TestServer};
use sftpgo_wire::sftp::{Attrs, OpenFlags};

const READ: OpenFlags = OpenFlags::READ;
const WRITE: OpenFlags = OpenFlags::WRITE;
/// What a plain upload asks for.
const REPLACE: OpenFlags =
    OpenFlags(OpenFlags::WRITE.0 | OpenFlags::CREATE.0 | OpenFlags::TRUNCATE.0);

/// A server with the account `alice`, and an open session of hers.
struct Lab {
    server: TestServer,
    sftp: Sftp,
}

impl Lab {
    async fn new() -> Self {
        Self::with(Account::new("alice")).await
    }

    async fn with(account: Account) -> Self {
        Self::on(TestServer::start().await, account).await
    }

    async fn on(server: TestServer, account: Account) -> Self {
        server.add(account).await;
        let sftp = server.sftp("alice").await;
        Self { server, sftp }
    }

    /// A place in the home, on the disk.
    fn disk(&self, path: &str) -> PathBuf {
        self.server.home("alice").join(path)
    }

    fn write_disk(&self, path: &str, content: &[u8]) {
        fs::write(self.disk(path), content).unwrap();
    }

    fn make_dir(&self, path: &str) {
        fs::create_dir_all(self.disk(path)).unwrap();
    }

    fn read_disk(&self, path: &str) -> Vec<u8> {
        fs::read(self.disk(path)).unwrap()
    }
}

/// Fails the test if the answer is not this refusal.
#[track_caller]
fn refused<T>(answer: Answer<T>, kind: Refusal) {
    match answer {
        Ok(_) => panic!("granted, where {kind:?} was expected"),
        Err(refused) => assert_eq!(refused.kind, kind, "{refused:?}"),
    }
}

fn mode(mode: u32) -> Attrs {
    Attrs {
        permissions: Some(mode),
        ..Attrs::EMPTY
    }
}

fn size(size: u64) -> Attrs {
    Attrs {
        size: Some(size),
        ..Attrs::EMPTY
    }
}

fn times(accessed: u32, modified: u32) -> Attrs {
    Attrs {
        times: Some((accessed, modified)),
        ..Attrs::EMPTY
    }
}
