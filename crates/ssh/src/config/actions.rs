//! `sftpd.actions`: what is run after a transfer or a change, or asked before it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sftpgo_core::model::action::{ActionKeys, ActionsText, DEFAULT_RUNNING, DEFAULT_WAITING};
use sftpgo_core::model::{Actions, FileEvent, HookText, SettingIssue};

const KEYS: ActionKeys = ActionKeys {
    execute_on: "sftpd.actions.execute_on",
    command: "sftpd.actions.command",
    url: "sftpd.actions.http_notification_url",
    max_running: "sftpd.actions.max_running",
    max_waiting: "sftpd.actions.max_waiting",
};

/// What to run after a transfer or a change, or to ask before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FileActionsConfig {
    /// Any of `download`, `upload`, `delete`, `rename`, `ssh_cmd`, which are told of afterwards, and `pre-download`,
    /// `pre-upload`, `pre-delete`, which are asked about before and may be refused. SFTPGo 0.9 does not have the latter.
    /// `docs/actions.md` describes them all.
    pub execute_on: Vec<String>,
    /// Absolute path of a program to run.
    pub command: String,
    /// URL that receives a GET request.
    #[schemars(with = "String")]
    pub http_notification_url: HookText,
    /// Actions that run at the same time. With 1 they run in the order in which things happened. Questions about what is to
    /// be done have places of their own.
    pub max_running: u32,
    /// Actions that may wait for that. Further ones are dropped, counted (`sftpgo_actions_dropped_total`) and logged.
    pub max_waiting: u32,
}

impl Default for FileActionsConfig {
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

impl FileActionsConfig {
    pub(super) fn resolve(
        &self,
        warnings: &mut Vec<SettingIssue>,
    ) -> Result<Actions<FileEvent>, SettingIssue> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_with_a_program_that_is_not_there_stops_the_start_and_a_notification_does_not() {
        let config = |event: &str, command: &str| FileActionsConfig {
            execute_on: vec![event.to_owned()],
            command: command.to_owned(),
            ..FileActionsConfig::default()
        };
        let mut warnings = Vec::new();
        for command in ["/no/such/program", "/usr", "program"] {
            let issue = config("pre-delete", command).resolve(&mut warnings);
            assert_eq!(issue.unwrap_err().key, KEYS.command);
            assert!(config("delete", command).resolve(&mut warnings).is_ok());
            assert_eq!(warnings.pop().unwrap().key, KEYS.command);
            warnings.clear();
        }
        assert!(
            config("pre-delete", "/bin/sh")
                .resolve(&mut warnings)
                .is_ok()
        );
        assert_eq!(warnings, []);
    }

    #[test]
    fn a_password_in_the_url_is_not_shown() {
        let config = FileActionsConfig {
            http_notification_url: "http://svc:hunter2@localhost/".into(),
            execute_on: vec!["upload".to_owned()],
            ..FileActionsConfig::default()
        };
        assert!(!format!("{config:?}").contains("hunter2"));
        let actions = config.resolve(&mut Vec::new()).unwrap();
        assert!(!format!("{actions:?}").contains("hunter2"));
    }
}
