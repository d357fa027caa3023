//! What is told of accounts (reference 10.2, D.4).

use std::ffi::OsString;

use sftpgo_model::action::Event as _;
use sftpgo_model::{UserEvent, UserRecord};
use zeroize::Zeroizing;

use super::courier::Message;

/// An account that an administrator has added, changed or removed. `Debug` shows no password.
#[derive(Debug)]
pub(crate) struct UserAction {
    pub(crate) event: UserEvent,
    /// As it was stored, or was before it was removed.
    pub(crate) user: UserRecord,
}

impl UserAction {
    /// A program gets arguments and variables, the hash of the password among them; a URL the account as replies show it.
    ///
    /// # Errors
    /// The account cannot be written as JSON.
    pub(super) fn message(&self) -> Result<Message, serde_json::Error> {
        let (event, user) = (self.event.name(), &self.user);
        let text = |number: i64| OsString::from(number.to_string());
        let provider = serde_json::to_value(user.filesystem.provider)?.to_string();
        let body = serde_json::to_vec(&user.to_hidden())?;
        Ok(Message {
            arguments: vec![
                event.into(),
                user.username.clone().into(),
                text(user.id),
                text(user.status),
                text(user.expiration_date),
                user.home_dir.clone().into(),
                text(user.uid),
                text(user.gid),
            ],
            variables: vec![
                ("SFTPGO_USER_ACTION", event.into()),
                ("SFTPGO_USER_USERNAME", user.username.clone().into()),
                ("SFTPGO_USER_PASSWORD", user.password.clone().into()),
                ("SFTPGO_USER_ID", text(user.id)),
                ("SFTPGO_USER_STATUS", text(user.status)),
                ("SFTPGO_USER_EXPIRATION_DATE", text(user.expiration_date)),
                ("SFTPGO_USER_HOME_DIR", user.home_dir.clone().into()),
                ("SFTPGO_USER_UID", text(user.uid)),
                ("SFTPGO_USER_GID", text(user.gid)),
                ("SFTPGO_USER_QUOTA_FILES", text(user.quota_files)),
                ("SFTPGO_USER_QUOTA_SIZE", text(user.quota_size)),
                ("SFTPGO_USER_UPLOAD_BANDWIDTH", text(user.upload_bandwidth)),
                (
                    "SFTPGO_USER_DOWNLOAD_BANDWIDTH",
                    text(user.download_bandwidth),
                ),
                ("SFTPGO_USER_MAX_SESSIONS", text(user.max_sessions)),
                ("SFTPGO_USER_FS_PROVIDER", provider.into()),
            ],
            query: vec![("action", event.into())],
            body: Some(Zeroizing::new(body)),
        })
    }
}
