//! Signals: SIGTERM and SIGINT stop, SIGHUP reloads, SIGUSR1 begins a new log file.

use std::io;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// End in order; asked a second time, at once.
    Stop,
    /// Read again what can be read again.
    Reload,
    /// Begin a new log file.
    RotateLog,
}

/// The signals of this process, from the moment it is made: none of them ends the process by itself any more.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Stream,
    interrupt: Stream,
    hang_up: Stream,
    user1: Stream,
    /// Deliberately only caught: a write beyond `ulimit -f` then fails like one on a full disk, instead of ending the process.
    _file_size: Stream,
}

impl Signals {
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            user1: signal(SignalKind::user_defined1())?,
            _file_size: signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        })
    }

    /// The next signal. Cancelling the wait loses none.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hang_up.recv() => Signal::Reload,
            _ = self.user1.recv() => Signal::RotateLog,
        }
    }
}
