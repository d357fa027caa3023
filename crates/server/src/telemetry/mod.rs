//! The log: a flat JSON line for each event, to a rotated file or to stdout, and a readable console
//! beside the file (reference 14).
//!
//! The contract with whoever emits events through `tracing`:
//!
//! * With a message it is an app log: `level`, `time`, `sender`, `connection_id`, `message`, then
//!   any other field. `sender` is the field of that name or else derived from the crate;
//!   `connection_id` is the field of that name or empty.
//! * Without a message but with a field `sender` it is a structured log: `level`, `time`, then the
//!   fields in the order in which they are written, which log readers such as fail2ban depend on.
//! * Events of other crates are written from warnings on. `trace` is not written.
//! * Values are escaped here; keeping secrets out of them is up to the caller.
//!
//! Lines pass a bounded queue to a thread that writes them, so a slow disk does not slow transfers
//! down, and a full disk never stops the server.

mod backups;
mod console;
mod escape;
mod json;
mod layer;
#[cfg_attr(unix, path = "mode_unix.rs")]
#[cfg_attr(not(unix), path = "mode_other.rs")]
mod mode;
mod panics;
mod queue;
mod rotation;
mod writer;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tracing::Level;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::Registry;

pub(crate) use escape::{Escaper, push_units};
use layer::LogLayer;
pub use panics::log_panics;
use queue::Queue;
use rotation::{Limits, RotatingFile};
use writer::{JsonSink, Writer};

/// What to log, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// The log file; without one the JSON lines go to stdout and there is no console.
    pub file: Option<PathBuf>,
    /// Bytes above which the file is rotated; 0 means 100 MB.
    pub max_size: u64,
    /// How many rotated files to keep; 0 means all.
    pub max_backups: u32,
    /// Days to keep rotated files; 0 means for ever.
    pub max_age_days: u32,
    /// Whether rotated files are compressed.
    pub compress: bool,
    /// Whether the console shows debug messages; the JSON log always has them.
    pub verbose: bool,
}

/// Why the log could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be opened for writing.
    #[error("cannot open the log file {path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The thread that writes cannot be started.
    #[error("cannot start the log: {0}")]
    Thread(#[source] io::Error),
    /// The process logs somewhere else already.
    #[error("the log is already started")]
    AlreadyStarted,
}

/// Hears the events of the log besides its sinks. It runs where they happen: it must neither block nor log.
pub type Listener = Box<dyn tracing_subscriber::Layer<Registry> + Send + Sync>;

/// Keeps the log running; dropping it writes what is queued, within a few seconds.
#[derive(Debug)]
pub struct LogGuard {
    writer: Writer,
}

impl LogGuard {
    /// A handle for whoever may ask for a new file.
    #[must_use]
    pub fn handle(&self) -> LogHandle {
        LogHandle {
            queue: Arc::clone(self.writer.queue()),
        }
    }
}

/// Asks the running log for something.
#[derive(Clone)]
pub struct LogHandle {
    queue: Arc<Queue>,
}

impl LogHandle {
    /// Makes the current file a backup and begins a new one. Nothing happens without a file.
    pub fn rotate(&self) {
        self.queue.ask_for_rotation();
    }
}

impl fmt::Debug for LogHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogHandle")
    }
}

/// Starts the log of the server for the whole process.
///
/// # Errors
/// The file cannot be opened, or the process has a log already.
pub fn start(options: LogOptions) -> Result<LogGuard, LogError> {
    let Some(path) = options.file else {
        return install(JsonSink::Stdout, None, None);
    };
    let limits = Limits {
        max_size: options.max_size,
        max_backups: options.max_backups,
        max_age_days: options.max_age_days,
        compress: options.compress,
    };
    let file = RotatingFile::open(path.clone(), limits)
        .map_err(|source| LogError::File { path, source })?;
    let console = if options.verbose {
        Level::DEBUG
    } else {
        Level::INFO
    };
    install(JsonSink::File(file), Some(console), None)
}

/// Starts a log without a console: to a file if one is named, else nowhere. `listener` hears every event besides.
///
/// # Errors
/// The file cannot be opened, or the process has a log already.
pub fn start_quiet(file: Option<PathBuf>, listener: Listener) -> Result<LogGuard, LogError> {
    let sink = match file {
        Some(path) => {
            let limits = Limits {
                max_size: 0,
                max_backups: 0,
                max_age_days: 0,
                compress: false,
            };
            let file = RotatingFile::open(path.clone(), limits)
                .map_err(|source| LogError::File { path, source })?;
            JsonSink::File(file)
        }
        None => JsonSink::None,
    };
    install(sink, None, Some(listener))
}

/// Starts a log that has only the console, for commands that do their work and end.
///
/// # Errors
/// The process has a log already.
pub fn start_console() -> Result<LogGuard, LogError> {
    install(JsonSink::None, Some(Level::DEBUG), None)
}

fn install(
    sink: JsonSink,
    console: Option<Level>,
    listener: Option<Listener>,
) -> Result<LogGuard, LogError> {
    let json = !matches!(sink, JsonSink::None);
    let writer = Writer::spawn(sink).map_err(LogError::Thread)?;
    let layer = LogLayer::new(Arc::clone(writer.queue()), json, console);
    tracing::subscriber::set_global_default(Registry::default().with(listener).with(layer))
        .map_err(|_| LogError::AlreadyStarted)?;
    Ok(LogGuard { writer })
}
