//! A connection with one SFTP channel, as most clients have it.

use std::sync::Arc;

use crate::channel::SftpChannel;
use crate::error::LoadError;
use crate::socket::Cut;
use crate::target::{Login, Target};

/// A login and its channel.
pub(crate) struct Session {
    pub(crate) login: Login,
    pub(crate) sftp: SftpChannel,
}

impl Session {
    /// Logs in and opens the channel.
    pub(crate) async fn open(target: &Arc<Target>) -> Result<Self, LoadError> {
        let login = target.login().await?;
        Self::over(target, login).await
    }

    /// Opens the channel on a connection.
    pub(crate) async fn over(target: &Arc<Target>, login: Login) -> Result<Self, LoadError> {
        let sftp = SftpChannel::open(target, &login).await?;
        Ok(Self { login, sftp })
    }

    /// Ends the session in good order: the channel first, then the connection.
    pub(crate) async fn part(self) {
        self.sftp.part().await;
        self.login.part().await;
    }

    /// Drops the connection without a word.
    pub(crate) async fn vanish(self, how: Cut) {
        self.login.vanish(how).await;
    }
}
