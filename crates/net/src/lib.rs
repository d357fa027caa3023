//! Listeners, accept limits, the turns of handshakes and the graceful drain: what every front end that accepts connections shares.

mod accept;
mod limit;
mod listener;
mod pace;
mod workers;

pub use accept::{Server, serve};
pub use limit::{AcceptLimits, ConnectionLimiter, ConnectionSlot};
pub use listener::{BindError, Listener, listen_address};
pub use pace::{Measured, Newcomer, Pace};
pub use workers::Workers;
