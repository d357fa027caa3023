//! Signals: Ctrl-C stops.

use std::io;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// End in order; asked a second time, at once.
    Stop,
    /// Read again what can be read again.
    #[expect(dead_code, reason = "this system has no such signal")]
    Reload,
    /// Begin a new log file.
    #[expect(dead_code, reason = "this system has no such signal")]
    RotateLog,
}

/// The signals of this process.
#[derive(Debug)]
pub(super) struct Signals;

impl Signals {
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self)
    }

    /// The next signal.
    pub(super) async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            // Nothing will ever come.
            std::future::pending::<()>().await;
        }
        Signal::Stop
    }
}
