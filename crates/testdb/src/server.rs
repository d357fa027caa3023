//! A running server.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sftpgo_testguard::{Guarded, Guardian, announced, free_port};

use crate::certificate::Certificates;
use crate::product::{Place, Product};

/// How long a server takes to start on a slow machine, at most.
const START_DEADLINE: Duration = Duration::from_secs(60);
/// `nobody`, for servers that refuse to run as root.
const NOBODY: u32 = 65_534;

/// What a test can ask for.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// Whether the server offers TLS.
    pub tls: bool,
    /// Most connections at a time.
    pub connections: u32,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            tls: false,
            connections: 200,
        }
    }
}

/// A server in a directory of its own. Dropped, it ends, and nothing of it stays.
#[derive(Debug)]
pub struct Server {
    product: Product,
    directory: PathBuf,
    port: u16,
    setup: Setup,
    certificates: Option<Certificates>,
    process: Mutex<Option<Child>>,
    pub(crate) databases: AtomicU32,
    // Last, so that it removes the directory last.
    _guardian: Guardian,
}

/// The PostgreSQL server that the tests of this process share.
pub fn postgresql() -> Arc<Server> {
    static SHARED: OnceLock<Arc<Server>> = OnceLock::new();
    Arc::clone(SHARED.get_or_init(|| Server::start(Product::Postgresql, Setup::default())))
}

/// The MariaDB server that the tests of this process share.
pub fn mariadb() -> Arc<Server> {
    static SHARED: OnceLock<Arc<Server>> = OnceLock::new();
    Arc::clone(SHARED.get_or_init(|| Server::start(Product::Mariadb, Setup::default())))
}

impl Server {
    /// Makes a server and starts it. Blocks for a second or two.
    #[must_use]
    pub fn start(product: Product, setup: Setup) -> Arc<Self> {
        let server = Self::prepare(product, setup);
        server.resume();
        server
    }

    /// Makes the files of a server that does not run yet.
    #[must_use]
    pub fn prepare(product: Product, setup: Setup) -> Arc<Self> {
        let directory = tempfile::Builder::new()
            .prefix("sftpgo-testdb-")
            .tempdir()
            .unwrap()
            .keep();
        let guardian = Guardian::watch(&directory, Guarded::Process(product.last_signal()));
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(&directory, 0o755);
        let certificates = setup.tls.then(|| Certificates::make(&directory));
        if let Some(certificates) = &certificates {
            mode(&certificates.key(), 0o600);
        }
        let server = Self {
            product,
            port: free_port(),
            setup,
            certificates,
            process: Mutex::new(None),
            databases: AtomicU32::new(0),
            directory,
            _guardian: guardian,
        };
        fs::create_dir(server.directory.join("data")).unwrap();
        let mut command = product.initialize(&server.place());
        server.give_away_files();
        let log = server.directory.join("install.log");
        let status = unprivileged(&mut command)
            .current_dir(&server.directory)
            .stdout(File::create(&log).unwrap())
            .stderr(File::options().append(true).open(&log).unwrap())
            .status()
            .unwrap();
        assert!(status.success(), "{status}: {}", read(&log));
        Arc::new(server)
    }

    fn place(&self) -> Place<'_> {
        Place {
            directory: &self.directory,
            port: self.port,
            setup: self.setup,
            certificates: self.certificates.as_ref(),
        }
    }

    /// Everything belongs to the user that the server runs as.
    fn give_away_files(&self) {
        if !is_root() {
            return;
        }
        let mut paths = vec![self.directory.clone()];
        let entries = fs::read_dir(&self.directory).unwrap();
        paths.extend(entries.map(|entry| entry.unwrap().path()));
        for path in paths {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    /// Which product this is.
    #[must_use]
    pub fn product(&self) -> Product {
        self.product
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the settings call the host to use the Unix socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.product.socket(&self.directory)
    }

    /// The certificates, if the server offers TLS.
    #[must_use]
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// Starts a server that does not run, and waits until clients can come.
    pub fn resume(&self) {
        self.launch();
        let deadline = Instant::now() + START_DEADLINE;
        let log = self.log();
        while !read(&log).contains(self.product.ready()) {
            let ended = self
                .process()
                .as_mut()
                .map(|child| child.try_wait().unwrap());
            assert!(
                matches!(ended, Some(None)) && Instant::now() < deadline,
                "the server did not start: {}",
                read(&log)
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts a server that does not run, and does not wait.
    pub fn launch(&self) {
        let log = File::create(self.log()).unwrap();
        let mut command = announced(&self.product.serve(&self.place()), &self.directory);
        let child = unprivileged(&mut command)
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let before = self.process().replace(child);
        assert!(before.is_none(), "the server runs already");
    }

    /// Puts the clients out and ends the server in order.
    pub fn stop(&self) {
        self.end(self.product.stop_signal());
    }

    /// Ends the server as a crash does.
    pub fn kill(&self) {
        // PostgreSQL's other processes would outlive the first one for a moment, and keep its port.
        self.end(match self.product {
            Product::Postgresql => Signal::QUIT,
            Product::Mariadb => Signal::KILL,
        });
    }

    /// Stops and starts the server.
    pub fn restart(&self) {
        self.stop();
        self.resume();
    }

    fn end(&self, signal: Signal) {
        let Some(mut child) = self.process().take() else {
            return;
        };
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        child.wait().unwrap();
        fs::remove_file(self.directory.join("pid")).unwrap();
    }

    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_name(&self) -> String {
        format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The guardian ends it; here only the remains of the process are taken.
        if let Some(mut child) = self.process().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// As nobody, if this is root: the servers refuse to run as root.
fn unprivileged(command: &mut Command) -> &mut Command {
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn read(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
