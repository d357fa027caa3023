//! `delay`: a relay that makes a long way out of loopback.
//!
//! It holds every byte back for a fixed time and never makes the sender wait for the receiver within its bound, so what
//! limits a transfer through it is the window of the SSH channel and the requests in flight. It does not model a TCP
//! window, loss or a link's rate: `netem` does, where the kernel has it.

use std::io::Write;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use clap::Args;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::error::LoadError;

/// Most chunks on their way, each up to [`CHUNK`] bytes: 1 GiB/s times 0.25 s.
const CHUNKS: usize = 4096;
const CHUNK: usize = 65_536;

#[derive(Args)]
pub(crate) struct DelayArgs {
    /// Address of the server, as host:port
    to: String,
    /// Delay in each direction, in milliseconds
    #[arg(long, default_value_t = 50)]
    millis: u64,
}

/// Relays until the process is ended. The first line of output tells the port.
pub(crate) async fn run(args: &DelayArgs) -> Result<Value, LoadError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", json!({"port": listener.local_addr()?.port()}));
    std::io::stdout().flush()?;
    let delay = Duration::from_millis(args.millis);
    loop {
        let (near, _) = listener.accept().await?;
        let far = TcpStream::connect(&args.to).await?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let (near_read, near_write) = near.into_split();
        let (far_read, far_write) = far.into_split();
        relay(near_read, far_write, delay);
        relay(far_read, near_write, delay);
    }
}

/// One direction. Its tasks end with the connection.
fn relay(from: OwnedReadHalf, to: OwnedWriteHalf, delay: Duration) {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    tokio::spawn(take(from, sender, delay));
    tokio::spawn(give(receiver, to));
}

async fn take(mut from: OwnedReadHalf, sender: mpsc::Sender<(Instant, Bytes)>, delay: Duration) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(CHUNK);
        match from.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let chunk = (Instant::now() + delay, buffer.split().freeze());
        if sender.send(chunk).await.is_err() {
            return;
        }
    }
}

async fn give(mut receiver: mpsc::Receiver<(Instant, Bytes)>, mut to: OwnedWriteHalf) {
    while let Some((due, chunk)) = receiver.recv().await {
        sleep_until(due).await;
        if to.write_all(&chunk).await.is_err() {
            return;
        }
    }
}
