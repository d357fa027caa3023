//! Notices that a client has gone while its attempt to log in waits for a hook: nobody reads its socket meanwhile.

use std::io;
use std::os::fd::AsFd;

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// A second descriptor of a client's socket, to see it end. Nothing is read from it, and nothing written.
#[derive(Debug)]
pub(crate) struct Hangup(TcpStream);

impl Hangup {
    /// Must be dropped no later than the connection: the socket is open as long as this is.
    pub(crate) fn of(socket: &TcpStream) -> io::Result<Self> {
        let second = std::net::TcpStream::from(socket.as_fd().try_clone_to_owned()?);
        TcpStream::from_std(second).map(Self)
    }

    /// Waits for `attempt`. If the client goes meanwhile, `cancel` is cancelled, so that what the attempt waits for ends.
    pub(crate) async fn watch<T>(
        &self,
        cancel: &CancellationToken,
        attempt: impl Future<Output = T>,
    ) -> T {
        tokio::pin!(attempt);
        tokio::select! {
            biased;
            done = &mut attempt => return done,
            () = self.happened() => {}
        }
        cancel.cancel();
        attempt.await
    }

    /// Ends when the client has closed its side. A client that only sends no more could not go on either.
    async fn happened(&self) {
        while let Ok(ready) = self.0.ready(Interest::READABLE).await {
            if ready.is_read_closed() {
                return;
            }
            // What it sent is read later, by others; this waits for the next that comes.
            let later = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
            let _ = self.0.try_io(Interest::READABLE, later);
        }
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    async fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        (client.unwrap(), accepted.unwrap().0)
    }

    #[tokio::test]
    async fn a_client_that_goes_ends_what_waits_for_it_and_one_that_talks_does_not() {
        let (mut client, socket) = connected().await;
        let (hangup, cancel) = (Hangup::of(&socket).unwrap(), CancellationToken::new());
        client.write_all(b"more").await.unwrap();
        let waits = hangup.watch(&cancel, cancel.cancelled());
        tokio::pin!(waits);
        let early = timeout(Duration::from_millis(100), &mut waits).await;
        assert!(early.is_err() && !cancel.is_cancelled());
        client.write_all(b"and more").await.unwrap();
        drop(client);
        timeout(Duration::from_secs(60), waits).await.unwrap();
    }

    #[tokio::test]
    async fn an_attempt_that_comes_to_its_end_is_left_alone() {
        let (_client, socket) = connected().await;
        let (hangup, cancel) = (Hangup::of(&socket).unwrap(), CancellationToken::new());
        assert_eq!(hangup.watch(&cancel, async { 7 }).await, 7);
        assert!(!cancel.is_cancelled());
    }
}
