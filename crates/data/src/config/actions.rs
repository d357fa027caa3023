//! `data_provider.actions`: what is run when a user is added, changed or deleted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sftpgo_model::action::{ActionKeys, ActionsText, DEFAULT_RUNNING, DEFAULT_WAITING};
use sftpgo_model::{Actions, HookText, SettingIssue, UserEvent};

const KEYS: ActionKeys = ActionKeys {
    execute_on: "data_provider.actions.execute_on",
    command: "data_provider.actions.command",
    url: "data_provider.actions.http_notification_url",
    max_running: "data_provider.actions.max_running",
    max_waiting: "data_provider.actions.max_waiting",
};

/// What to run when a user is added, changed or deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct UserActionsConfig {
    /// Any of `add`, `update`, `delete`: what an administrator does, by REST or with a dump. `docs/actions.md` describes
    /// them.
    pub execute_on: Vec<String>,
    /// Absolute path of a program to run.
    pub command: String,
    /// URL that receives a POST request.
    #[schemars(with = "String")]
    pub http_notification_url: HookText,
    /// Actions that run at the same time. With 1 they run in the order in which things happened.
    pub max_running: u32,
    /// Actions that may wait for that. Further ones are dropped, counted (`sftpgo_actions_dropped_total`) and logged.
    pub max_waiting: u32,
}

impl Default for UserActionsConfig {
    fn default() -> Self {
        Self {
            execute_on: Vec::new(),
            command: String::new(),
            http_notification_url: HookText::default(),
            max_running: DEFAULT_RUNNING,
            max_waiting: DEFAULT_WAITING,
        }
    }
}

impl UserActionsConfig {
    pub(super) fn resolve(
        &self,
        warnings: &mut Vec<SettingIssue>,
    ) -> Result<Actions<UserEvent>, SettingIssue> {
        let text = ActionsText {
            execute_on: &self.execute_on,
            command: &self.command,
            url: &self.http_notification_url,
            max_running: self.max_running,
            max_waiting: self.max_waiting,
            is_there: |path| path.is_file(),
        };
        text.resolve(&KEYS, warnings)
    }
}
