//! Actions: programs and URLs that are told of what happens to files and accounts, and gates that are asked before
//! (reference 10, D.4).
#![cfg(unix)]

mod bounds;
mod files;
mod gates;
mod gates_elsewhere;
mod isolation;
mod stop;
mod users;

use serde_json::{Value, json};
use sftpgo_testkit::until;

use crate::hooks::Scripts;

/// Writes what it is told in one line: the number of arguments, the arguments, size and whether it is local, and `same` if
/// the variables say what the arguments say.
const NOTES: &str = r#"
same=differs
[ "$SFTPGO_ACTION;$SFTPGO_ACTION_USERNAME;$SFTPGO_ACTION_PATH;$SFTPGO_ACTION_TARGET;$SFTPGO_ACTION_SSH_CMD" = "$1;$2;$3;$4;$5" ] && same=same
printf '%s\n' "$#;$1;$2;$3;$4;$5;$SFTPGO_ACTION_FILE_SIZE;$SFTPGO_ACTION_LOCAL_FILE;$same" >> "$here/told""#;

/// Settings of file actions that run one at a time, in order.
fn in_order(events: &[&str], more: &Value) -> Value {
    let mut actions = json!({ "execute_on": events, "max_running": 1 });
    for (key, value) in more.as_object().into_iter().flatten() {
        actions[key] = value.clone();
    }
    actions
}

/// Waits until a script has written so many lines to a file, and gives them.
async fn lines(scripts: &Scripts, file: &str, count: usize) -> Vec<String> {
    until("actions to be told", async || scripts.lines(file) >= count).await;
    scripts.text(file).lines().map(str::to_owned).collect()
}
