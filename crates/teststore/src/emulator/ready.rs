//! Whether an emulator answers yet. Blocking, since whoever shares it waits for its start outside of any runtime.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::Product;

/// A program that has just opened its port may take a moment for its first answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The start of an answer that is looked at.
const ENOUGH: u64 = 64 * 1024;

/// Whether the program on this port is the one expected, and answers.
pub(super) fn answers(address: SocketAddr, product: Product) -> bool {
    let (path, words) = product.ready();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let exchange = || {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(ENOUGH).read_to_end(&mut answer)?;
        std::io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    exchange().is_ok_and(|answer| answer.starts_with("HTTP/1.") && answer.contains(words))
}
