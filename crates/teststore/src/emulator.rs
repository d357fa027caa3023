//! A program that plays an object store, in a process and a directory of its own.

mod azurite;
mod gcs;
mod moto;
mod product;
mod rclone;
mod ready;

pub use product::{Product, installed};

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use sftpgo_testguard::{Guarded, Guardian, announced, free_port};

use crate::{Call, DEADLINE, Keys, Reply};

/// How long a program takes to start on a slow machine, at most.
const START_DEADLINE: Duration = Duration::from_secs(120);
/// A free port may be taken by another between the look at it and its use.
const ATTEMPTS: u32 = 3;

/// A running emulator. Dropped, it ends, and nothing of it stays.
#[derive(Debug)]
pub struct Emulator {
    product: Product,
    address: SocketAddr,
    directory: PathBuf,
    process: Mutex<Option<Child>>,
    buckets: AtomicU32,
    // Last, so that it removes the directory last.
    _guardian: Guardian,
}

/// moto, which the tests of this process share.
pub fn moto() -> Arc<Emulator> {
    static SHARED: OnceLock<Arc<Emulator>> = OnceLock::new();
    Arc::clone(SHARED.get_or_init(|| Emulator::start(Product::Moto)))
}

/// `rclone serve s3`, which the tests of this process share.
pub fn rclone() -> Arc<Emulator> {
    static SHARED: OnceLock<Arc<Emulator>> = OnceLock::new();
    Arc::clone(SHARED.get_or_init(|| Emulator::start(Product::Rclone)))
}

/// azurite, which the tests of this process share.
pub fn azurite() -> Arc<Emulator> {
    static SHARED: OnceLock<Arc<Emulator>> = OnceLock::new();
    Arc::clone(SHARED.get_or_init(|| Emulator::start(Product::Azurite)))
}

/// gcp-storage-emulator, which the tests of this process share.
pub fn gcs() -> Arc<Emulator> {
    static SHARED: OnceLock<Arc<Emulator>> = OnceLock::new();
    Arc::clone(SHARED.get_or_init(|| Emulator::start(Product::Gcs)))
}

impl Emulator {
    /// Starts one of its own, for a test that ends or freezes it. Blocks for some seconds.
    #[must_use]
    pub fn start(product: Product) -> Arc<Self> {
        let deadline = Instant::now() + START_DEADLINE;
        let mut attempts = 1..=ATTEMPTS;
        loop {
            let emulator = Self::launch(product);
            match emulator.wait(deadline) {
                Ok(()) => return Arc::new(emulator),
                Err(log) => assert!(
                    log.to_lowercase().contains("in use") && attempts.next().is_some(),
                    "{product:?} did not start: {log}"
                ),
            }
        }
    }

    fn launch(product: Product) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("sftpgo-teststore-")
            .tempdir()
            .unwrap()
            .keep();
        let guardian = Guardian::watch(&directory, Guarded::Group);
        for name in ["data", "tmp"] {
            fs::create_dir(directory.join(name)).unwrap();
        }
        let port = free_port();
        let log = File::create(directory.join("log")).unwrap();
        let server = product.serve(&directory, port);
        let mut command = announced(&server, &directory);
        command
            // Nothing that whoever runs the tests has set: credentials, proxies, places of settings.
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &directory)
            .env("TMPDIR", directory.join("tmp"))
            .env("LC_ALL", "C.UTF-8")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUNBUFFERED", "1");
        for (name, value) in server.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        let process = command
            .current_dir(&directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        Self {
            product,
            address: (Ipv4Addr::LOCALHOST, port).into(),
            directory,
            process: Mutex::new(Some(process)),
            buckets: AtomicU32::new(0),
            _guardian: guardian,
        }
    }

    /// Waits until it answers; else says what it wrote.
    fn wait(&self, deadline: Instant) -> Result<(), String> {
        loop {
            let answers = ready::answers(self.address, self.product);
            // Asked after the answer: if this has ended, another program answered on its port.
            let running = match self.process.lock().as_mut() {
                Some(child) => child.try_wait().unwrap().is_none(),
                None => false,
            };
            if running && answers {
                return Ok(());
            }
            if !running || Instant::now() > deadline {
                return Err(self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Which one this is.
    #[must_use]
    pub fn product(&self) -> Product {
        self.product
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the settings of an account call the endpoint, if the store is reached at `address`: its own, or a proxy's.
    #[must_use]
    pub fn endpoint(&self, address: SocketAddr) -> String {
        format!("http://{address}{}", self.product.root())
    }

    /// The credentials that it accepts; moto and gcp-storage-emulator accept any.
    #[must_use]
    pub fn keys(&self) -> Keys {
        self.product.keys()
    }

    /// What it has written.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = fs::read(self.directory.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The directory that holds all of it.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes an empty bucket (a container, for Azure) and tells its name.
    pub async fn bucket(&self) -> String {
        let number = self.buckets.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{number}");
        self.call(self.product.make_bucket(&name)).await.succeeded();
        name
    }

    /// Puts an object there as another program might have, whatever its key looks like.
    pub async fn put(&self, bucket: &str, key: &str, content: impl Into<Bytes>) {
        let call = self.product.put(bucket, key, content.into());
        self.call(call).await.succeeded();
    }

    /// The whole object, if there is one.
    pub async fn content(&self, bucket: &str, key: &str) -> Option<Bytes> {
        let reply = self.call(self.product.content(bucket, key)).await;
        if reply.status == 404 {
            return None;
        }
        Some(reply.succeeded().body)
    }

    /// Signs a request as this store demands, and sends it.
    pub async fn call(&self, call: Call) -> Reply {
        self.sign(call, self.address).send(self.address).await
    }

    /// Signs a request as this store demands, for a client that reaches it at `address`.
    #[must_use]
    pub fn sign(&self, call: Call, address: SocketAddr) -> Call {
        match self.product {
            Product::Moto | Product::Rclone => call.signed(address, self.keys()),
            Product::Azurite => call.with_shared_key(self.keys()),
            Product::Gcs => call,
        }
    }

    /// Stops it in the middle of whatever it does: it neither answers nor refuses, until [`thaw`](Self::thaw).
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
        // Its threads run on for a moment: it has stopped when the last of them has.
        let process = self.process.lock();
        let id = process.as_ref().map(group).expect("it runs");
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
        let deadline = Instant::now() + DEADLINE;
        while waitid(WaitId::Pid(id), options).unwrap().is_none() {
            assert!(Instant::now() < deadline, "it does not stop");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Ends it as a crash does, for good.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
        if let Some(mut child) = self.process.lock().take() {
            child.wait().unwrap();
        }
        // Its number may be another's from now on.
        let _ = fs::remove_file(self.directory.join("pid"));
    }

    fn signal(&self, signal: Signal) {
        if let Some(child) = self.process.lock().as_ref() {
            // One that has ended by itself is told nothing.
            let _ = kill_process_group(group(child), signal);
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The group of processes that this one is the first of.
fn group(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap()
}
