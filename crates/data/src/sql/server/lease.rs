//! A connection on loan from the pool, given back only if it is fit for the next.

use std::ops::{Deref, DerefMut};

use sqlx::Database;
use sqlx::pool::PoolConnection;

/// A connection on loan. Dropped without [`give_back`](Lease::give_back), it is closed: a call that was dropped in the
/// middle of a statement would leave the answer to the next one, and the pool would wait for a server that may be gone.
pub(crate) struct Lease<DB: Database> {
    connection: Option<PoolConnection<DB>>,
}

impl<DB: Database> Lease<DB> {
    pub(crate) fn new(connection: PoolConnection<DB>) -> Self {
        Self {
            connection: Some(connection),
        }
    }

    /// Returns the connection to the pool.
    pub(crate) fn give_back(mut self) {
        drop(self.connection.take());
    }
}

impl<DB: Database> Drop for Lease<DB> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // Makes room in the pool and closes the socket at once.
            drop(connection.detach());
        }
    }
}

impl<DB: Database> Deref for Lease<DB> {
    type Target = DB::Connection;

    #[expect(clippy::expect_used, reason = "only `give_back` and `drop` take it")]
    fn deref(&self) -> &Self::Target {
        self.connection.as_ref().expect("on loan")
    }
}

impl<DB: Database> DerefMut for Lease<DB> {
    #[expect(clippy::expect_used, reason = "only `give_back` and `drop` take it")]
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.connection.as_mut().expect("on loan")
    }
}
