//! Gates: who is asked before a file is opened or removed, and may refuse. Whatever goes wrong refuses.

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::courier::Message;
use super::file::FileAction;
use super::runner::ActionRunner;
use crate::hook::HookError;

impl ActionRunner {
    /// Asks about something that is about to be done; a program and a URL are asked at the same time, and both have to
    /// agree. Ends early when the connection is `cancel`led or the caller goes away.
    ///
    /// # Errors
    /// It must not be done: `Refused` if somebody says so, and anything else if nobody says that it may.
    pub(crate) async fn ask(
        &self,
        action: &FileAction,
        cancel: &CancellationToken,
    ) -> Result<(), HookError> {
        let deadline = Instant::now() + self.settings.limits.file_command;
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(HookError::gone()),
            asked = timeout_at(deadline, self.ask_both(action)) => {
                asked.unwrap_or_else(|_| Err(HookError::too_slow()))
            }
        }
    }

    async fn ask_both(&self, action: &FileAction) -> Result<(), HookError> {
        let _place = self.gates.take().await?;
        let (targets, limits) = (&self.settings.files.targets, self.settings.limits);
        if targets.are_none() {
            return Err(HookError::broken("there is nobody to ask"));
        }
        let Message {
            arguments,
            variables,
            query,
            body,
        } = action.message();
        let command = async {
            match &targets.command {
                Some(path) => {
                    let courier = &self.courier;
                    courier
                        .run(path, arguments, variables, limits.file_command)
                        .await
                }
                None => Ok(()),
            }
        };
        let url = async {
            match &targets.url {
                Some(url) => self.courier.ask(url, &query, body, limits.url).await,
                None => Ok(()),
            }
        };
        // The other one is not waited for when one has refused; a program is ended then.
        tokio::try_join!(command, url).map(|((), ())| ())
    }
}
