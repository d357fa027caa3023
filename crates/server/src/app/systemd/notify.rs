//! Messages to the service manager: datagrams on the socket that `NOTIFY_SOCKET` names, see sd_notify(3).
//!
//! The `notify` of the library opens the socket anew for each message, and knows no names beginning with `@`, which systemd
//! uses in containers.

use std::ffi::OsStr;
use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use sd_notify::NotifyState;

/// For a message to find room with a service manager that does not read.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two attempts meanwhile.
const STEP: Duration = Duration::from_millis(20);

/// The service manager's end of the socket.
#[derive(Debug)]
pub(super) struct Notifier {
    /// Never blocks. Not a socket of the runtime, because it is opened before there is one.
    socket: UnixDatagram,
}

impl Notifier {
    /// Of the environment; `None` if nobody listens. A name that cannot be used is logged: serving is worth more than telling,
    /// and a service manager that waits for the message will say so.
    pub(super) fn of_process() -> Option<Self> {
        let name = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty())?;
        match Self::connect(&name) {
            Ok(notifier) => Some(notifier),
            Err(error) => {
                tracing::warn!(
                    sender = "service",
                    "the service manager is told nothing: NOTIFY_SOCKET {}: {error}",
                    name.display()
                );
                None
            }
        }
    }

    fn connect(name: &OsStr) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address(name)?)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket })
    }

    /// Sends one message with all of `states`. What cannot be sent is logged.
    pub(super) async fn send(&self, states: &[NotifyState<'_>]) {
        let lines: Vec<String> = states.iter().map(ToString::to_string).collect();
        let message = lines.join("\n");
        let sent = tokio::time::timeout(PATIENCE, self.send_when_there_is_room(&message)).await;
        let sent = sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        if let Err(error) = sent {
            let said = lines.first().map_or("", String::as_str);
            tracing::warn!(
                sender = "service",
                "the service manager was not told {said}: {error}"
            );
        }
    }

    async fn send_when_there_is_room(&self, message: &str) -> io::Result<()> {
        loop {
            match self.socket.send(message.as_bytes()) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    tokio::time::sleep(STEP).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// A path, or behind an `@` the name of an abstract socket.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = name.as_encoded_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt as _;
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 4096];
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_message_has_all_states_a_line_each() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::connect(path.as_os_str()).unwrap();
        notifier
            .send(&[NotifyState::Ready, NotifyState::Status("serving")])
            .await;
        assert_eq!(heard(&manager), "READY=1\nSTATUS=serving");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_name_with_an_at_sign_is_an_abstract_socket() {
        use std::os::linux::net::SocketAddrExt as _;
        let name = format!("sftpgo-notify-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        let notifier = Notifier::connect(OsStr::new(&format!("@{name}"))).unwrap();
        notifier.send(&[NotifyState::Watchdog]).await;
        assert_eq!(heard(&manager), "WATCHDOG=1");
    }

    #[tokio::test]
    async fn a_message_waits_for_room_with_a_manager_that_reads_late() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::connect(path.as_os_str()).unwrap();
        let mut waiting = 0;
        while notifier.socket.send(b"earlier").is_ok() {
            waiting += 1;
        }
        let late = tokio::spawn(async move { notifier.send(&[NotifyState::Ready]).await });
        for _ in 0..waiting {
            assert_eq!(heard(&manager), "earlier");
        }
        late.await.unwrap();
        assert_eq!(heard(&manager), "READY=1");
    }
}
