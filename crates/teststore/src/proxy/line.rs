//! Bytes between two sockets, under a [`Link`].

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Link;

/// Most bytes that are passed on together.
pub(super) const PIECE: usize = 16 * 1024;
/// Most pieces on their way, in one direction of one connection.
const ON_THE_WAY: usize = 64;

#[derive(Debug, Clone, Copy)]
pub(super) enum Direction {
    ToStore,
    ToClient,
}

/// Why bytes are not passed on any more.
enum End {
    /// There are no more, or nobody takes them.
    Done,
    /// The link breaks here.
    Reset,
}

/// Some bytes, and when they come out.
struct Piece {
    due: Instant,
    bytes: Bytes,
}

/// Passes bytes on in both directions until both have ended, the link breaks, `cut` says so, or the proxy ends.
pub(super) async fn join(
    mut client: TcpStream,
    store: impl AsyncRead + AsyncWrite,
    link: watch::Receiver<Link>,
    cut: &CancellationToken,
    end: &CancellationToken,
) {
    let broken = {
        let (from_client, to_client) = client.split();
        let (from_store, to_store) = tokio::io::split(store);
        let sent = pass(from_client, to_store, link.clone(), Direction::ToStore);
        let received = pass(from_store, to_client, link, Direction::ToClient);
        let both = async {
            tokio::pin!(sent, received);
            // One that ends in order leaves the other to go on.
            let (first, rest_sent) = tokio::select! {
                first = &mut sent => (first, false),
                first = &mut received => (first, true),
            };
            match first {
                End::Reset => End::Reset,
                End::Done if rest_sent => sent.await,
                End::Done => received.await,
            }
        };
        tokio::select! {
            ended = both => matches!(ended, End::Reset),
            () = cut.cancelled() => true,
            () = end.cancelled() => true,
        }
    };
    if broken {
        reset(&client);
    }
}

/// The client will be told that the connection is broken, not that it has ended.
pub(super) fn reset(client: &TcpStream) {
    let _ = client.set_zero_linger();
}

async fn pass(
    from: impl AsyncRead + Unpin,
    to: impl AsyncWrite + Unpin,
    link: watch::Receiver<Link>,
    direction: Direction,
) -> End {
    let (pieces, on_the_way) = mpsc::channel(ON_THE_WAY);
    let (_, ended) = tokio::join!(
        take(from, pieces, link.clone()),
        give(to, on_the_way, link, direction),
    );
    ended.unwrap_or(End::Done)
}

/// Reads as long as somebody takes it.
async fn take(
    mut from: impl AsyncRead + Unpin,
    pieces: mpsc::Sender<Piece>,
    mut link: watch::Receiver<Link>,
) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    loop {
        flowing(&mut link).await;
        buffer.reserve(PIECE);
        let read = tokio::select! {
            read = from.read_buf(&mut buffer) => read?,
            () = pieces.closed() => return Ok(()),
        };
        if read == 0 {
            return Ok(());
        }
        let piece = Piece {
            due: Instant::now() + link.borrow().latency,
            bytes: buffer.split().freeze(),
        };
        if pieces.send(piece).await.is_err() {
            return Ok(());
        }
    }
}

/// Writes what is due.
async fn give(
    mut to: impl AsyncWrite + Unpin,
    mut pieces: mpsc::Receiver<Piece>,
    mut link: watch::Receiver<Link>,
    direction: Direction,
) -> io::Result<End> {
    let mut passed = 0_u64;
    while let Some(Piece { due, mut bytes }) = pieces.recv().await {
        sleep_until(due).await;
        flowing(&mut link).await;
        let (time, limit) = {
            let link = link.borrow();
            (link.time(bytes.len()), link.limit(direction))
        };
        if !time.is_zero() {
            sleep(time).await;
        }
        let left = limit.map(|limit| limit.saturating_sub(passed));
        let left = left.map(|left| usize::try_from(left).unwrap_or(usize::MAX));
        if let Some(left) = left.filter(|left| *left <= bytes.len()) {
            bytes.truncate(left);
            to.write_all(&bytes).await?;
            to.flush().await?;
            return Ok(End::Reset);
        }
        to.write_all(&bytes).await?;
        passed += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    }
    to.shutdown().await?;
    Ok(End::Done)
}

/// Waits while nothing gets through.
async fn flowing(link: &mut watch::Receiver<Link>) {
    // The proxy has ended if this fails, and with it the connection.
    let _ = link.wait_for(|link| !link.stalled).await;
}
