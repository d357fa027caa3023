//! What programs say on stderr: into the log, as much of it as is useful.

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};

/// Bytes of one program that are logged; the rest is read, because it would wait otherwise, and dropped.
const MOST_LOGGED: u64 = 4096;

/// Logs what comes out of `pipe` until it is closed.
pub(super) async fn log_errors(pipe: impl AsyncRead + Unpin, program: &str) {
    let mut limited = BufReader::new(pipe.take(MOST_LOGGED));
    let mut line = Vec::new();
    while let Ok(1..) = limited.read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line);
        tracing::debug!(
            sender = "core",
            hook = program,
            "stderr: {}",
            text.trim_end()
        );
        line.clear();
    }
    let mut rest = limited.into_inner().into_inner();
    let mut dropped = [0; 4096];
    while let Ok(1..) = rest.read(&mut dropped).await {}
}
