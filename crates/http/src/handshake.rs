//! The beginning of a connection that should speak TLS, and the answer to a client that speaks plain HTTP instead.

use std::io;
use std::time::Duration;

use sftpgo_net::{Tls, TlsStream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a client reads that called `http://`. Nothing it sent is looked at: it may be a password in the clear.
const USE_HTTPS: &str = "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
                         This port speaks HTTPS: use https:// in the address\n";
/// What is thrown away of its request, so that it reads that, and for how long.
const DISCARD_BYTES: u64 = 64 * 1024;
const DISCARD_TIME: Duration = Duration::from_secs(1);

/// Shakes hands within `limit`.
///
/// # Errors
/// It did not come about; the client was told if it can be.
pub(crate) async fn accept(tls: &Tls, stream: TcpStream, limit: Duration) -> io::Result<TlsStream> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "the handshake took too long");
    let accepted = async {
        if speaks_http(&stream).await? {
            return refuse(stream).await;
        }
        tls.accept(stream).await
    };
    tokio::time::timeout(limit, accepted)
        .await
        .unwrap_or_else(|_| Err(late()))
}

/// A method begins with a letter, a handshake with 22 (RFC 8446 5.1).
async fn speaks_http(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    let length = stream.peek(&mut first).await?;
    if length == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(first.iter().all(u8::is_ascii_alphabetic))
}

async fn refuse(mut stream: TcpStream) -> io::Result<TlsStream> {
    stream.write_all(USE_HTTPS.as_bytes()).await?;
    stream.shutdown().await?;
    // Closing with unread bytes resets the connection, and the answer is lost.
    let mut rest = stream.take(DISCARD_BYTES);
    let mut nowhere = tokio::io::sink();
    let discarded = tokio::io::copy(&mut rest, &mut nowhere);
    // Whether it went away or was too slow: that was all.
    let _ = tokio::time::timeout(DISCARD_TIME, discarded).await;
    let reason = "the client speaks HTTP without TLS";
    Err(io::Error::new(io::ErrorKind::InvalidData, reason))
}
