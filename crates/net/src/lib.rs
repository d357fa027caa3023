//! Listeners, TLS, who is let in by them, the turns of handshakes and the graceful drain: what every front end that accepts
//! connections shares.

pub mod proxy;

mod accept;
mod doorkeeper;
mod entrance;
mod limit;
mod listener;
mod pace;
mod penalty;
mod rate;
mod refusal;
mod tls;
mod workers;

pub use accept::{Server, serve};
pub use doorkeeper::Doorkeeper;
pub use entrance::Entrance;
pub use limit::{AcceptLimits, ConnectionLimiter, ConnectionSlot};
pub use listener::{BindError, Listener, listen_address};
pub use pace::{Measured, Newcomer, Pace};
pub use penalty::{Misconduct, Penalties};
pub use rate::StartRate;
pub use refusal::Refusal;
pub use tls::{Tls, TlsError, TlsFiles, TlsStream};
pub use workers::Workers;
