//! Homes in object stores: the same clients, the same program, and a store that somebody else wrote.

mod crash;
mod credentials;
mod openssh;
mod rclone;

use sftpgo_testkit::{Bucket, StoreKind};
use tokio::runtime::{Builder, Runtime};

use super::support::Server;
use super::support::files::random_file;

/// Where what a test starts itself runs, and waits: clients are waited for outside of it.
struct Background(Runtime);

impl Background {
    fn new() -> Self {
        let mut builder = Builder::new_multi_thread();
        Self(builder.worker_threads(1).enable_all().build().unwrap())
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.0.block_on(work)
    }
}

/// A server whose user has her home in a bucket.
struct Scene {
    background: Background,
    bucket: Bucket,
    server: Server,
}

impl Scene {
    /// Plays in every store.
    fn each(scenario: impl Fn(&Self)) {
        for kind in StoreKind::ALL {
            let background = Background::new();
            let bucket = background.wait(Bucket::new(*kind));
            let server = Server::with_filesystem(&bucket.filesystem(), &[]);
            scenario(&Self {
                background,
                bucket,
                server,
            });
        }
    }

    /// A file of the home, past the server.
    fn stored(&self, path: &str) -> Option<Vec<u8>> {
        self.background.wait(self.bucket.content(path))
    }

    /// The keys of the home.
    fn keys(&self) -> Vec<String> {
        self.background.wait(self.bucket.keys())
    }

    /// Puts a file there, past the server.
    fn make(&self, path: &str, content: &[u8]) {
        self.background.wait(self.bucket.put(path, content));
    }

    /// Makes a local file and gives its content.
    fn local(&self, name: &str, size: u64) -> Vec<u8> {
        let path = self.server.work().join(name);
        random_file(&path, size);
        std::fs::read(path).unwrap()
    }

    fn read_local(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.server.work().join(name)).unwrap()
    }
}
