//! Takes a header from a socket, and not a byte more.

use std::io;
use std::time::Duration;

use thiserror::Error;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::header::{Header, LONGEST_HEADER, Parsed, parse};

/// Why there is no header where one must be, or none that can be used.
#[derive(Debug, Error)]
pub enum HeaderError {
    /// The client began with something else.
    #[error("there is no PROXY header, and it is required")]
    Missing,
    /// What begins as a header is none.
    #[error("the PROXY header is malformed: {0}")]
    Malformed(&'static str),
    /// The peer is not one of those who may send headers, and they are required.
    #[error("a PROXY header is required, and the peer is not in proxy_allowed")]
    NotAllowed,
    /// It did not come in time.
    #[error("no PROXY header in time")]
    Late,
    /// The peer closed the connection before there was one, as health checks do.
    #[error("closed before the PROXY header")]
    Closed,
    /// The socket failed.
    #[error("the PROXY header cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Reads the header; `None` if the connection does not begin with one, in which case nothing is taken from the socket. With
/// `patience`, a client that says nothing at all for so long has none: it waits for the server's first word.
///
/// Everything is looked at before it is taken, so the rest stays in the socket for whoever reads it next. There is no deadline
/// here.
pub(crate) async fn read_header(
    stream: &mut TcpStream,
    patience: Option<Duration>,
) -> Result<Option<Header>, HeaderError> {
    if let Some(patience) = patience
        && tokio::time::timeout(patience, stream.peek(&mut [0]))
            .await
            .is_err()
    {
        return Ok(None);
    }
    let mut bytes = vec![0; LONGEST_HEADER];
    let mut taken = 0;
    loop {
        let seen = taken
            + stream
                .peek(bytes.get_mut(taken..).unwrap_or_default())
                .await?;
        if seen == taken {
            return Err(HeaderError::Closed);
        }
        let (length, header) = match parse(bytes.get(..seen).unwrap_or_default()) {
            Parsed::Absent => return Ok(None),
            Parsed::Malformed(reason) => return Err(HeaderError::Malformed(reason)),
            // All of it belongs to the header.
            Parsed::Incomplete => (seen, None),
            Parsed::Complete { header, length } => (length, Some(header)),
        };
        let more = bytes.get_mut(taken..length).unwrap_or_default();
        stream.read_exact(more).await?;
        if header.is_some() {
            return Ok(header);
        }
        taken = length;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    /// Both ends of a connection.
    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let client = client.unwrap();
        client.set_nodelay(true).unwrap();
        (client, accepted.unwrap().0)
    }

    async fn rest_of(mut client: TcpStream, mut server: TcpStream) -> Vec<u8> {
        client.shutdown().await.unwrap();
        let mut rest = Vec::new();
        server.read_to_end(&mut rest).await.unwrap();
        rest
    }

    #[tokio::test]
    async fn a_header_in_any_pieces_is_taken_and_the_rest_is_left() {
        let header = "PROXY TCP4 192.0.2.7 198.51.100.1 5 22\r\n";
        let all = format!("{header}SSH-2.0-x\r\n");
        for cut in [
            0,
            1,
            6,
            20,
            header.len() - 1,
            header.len(),
            header.len() + 3,
        ] {
            let (mut client, mut server) = pair().await;
            let (before, behind) = all.as_bytes().split_at(cut);
            client.write_all(before).await.unwrap();
            let reading = read_header(&mut server, None);
            let send = async {
                tokio::task::yield_now().await;
                client.write_all(behind).await.unwrap();
            };
            let (read, ()) = tokio::join!(reading, send);
            let expected = Header::Client("192.0.2.7:5".parse().unwrap());
            assert_eq!(read.unwrap(), Some(expected), "{cut}");
            assert_eq!(rest_of(client, server).await, b"SSH-2.0-x\r\n", "{cut}");
        }
    }

    #[tokio::test]
    async fn what_is_no_header_is_left_whole() {
        let (mut client, mut server) = pair().await;
        client.write_all(b"SSH-2.0-x\r\n").await.unwrap();
        assert_eq!(read_header(&mut server, None).await.unwrap(), None);
        assert_eq!(rest_of(client, server).await, b"SSH-2.0-x\r\n");
    }

    #[tokio::test]
    async fn a_client_that_waits_for_the_servers_word_has_no_header() {
        let (_client, mut server) = pair().await;
        let patience = Some(Duration::from_millis(20));
        assert_eq!(read_header(&mut server, patience).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_connection_that_is_closed_before_or_within_a_header_has_none() {
        for text in ["", "PROXY TC"] {
            let (mut client, mut server) = pair().await;
            client.write_all(text.as_bytes()).await.unwrap();
            drop(client);
            let read = read_header(&mut server, None).await;
            assert!(matches!(read, Err(HeaderError::Closed)), "{read:?}");
        }
    }
}
