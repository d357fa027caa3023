//! The statements of what servers tell each other.

use crate::cluster::NODE_LIFETIME;
use crate::sql::dialect::Dialect;
use crate::sql::engine::Statement;
use crate::sql::table_name::TableName;

/// The text of every statement, for one dialect.
#[derive(Debug)]
pub(super) struct Statements {
    /// sessions, transfers, node
    pub(super) beat: Statement,
    /// node, sessions, transfers
    pub(super) join: Statement,
    /// nothing; gives node, sessions, transfers
    pub(super) live: Statement,
    /// nothing; gives nodes
    pub(super) dead: Statement,
    /// node; finds it if it is dead
    pub(super) bury: Statement,
    /// node; gives usernames
    pub(super) users_of: Statement,
    /// node
    pub(super) forget_sessions: Statement,
    /// node
    pub(super) forget_marks: Statement,
    /// node
    pub(super) forget_node: Statement,
    /// username; whoever ran it changes the sessions of that user alone
    pub(super) lock_user: Statement,
    /// username; gives node, sessions, sharing for every live server, whether it has sessions or not
    pub(super) sessions: Statement,
    /// username, node, sessions, sharing
    pub(super) note: Statement,
    /// username, node
    pub(super) unnote: Statement,
    /// node; gives usernames
    pub(super) to_share: Statement,
    /// name; gives value, version
    pub(super) shared: Statement,
    /// name, value, version
    pub(super) share_new: Statement,
    /// value, name, version
    pub(super) share: Statement,
    /// name, version
    pub(super) unshare: Statement,
}

impl Statements {
    pub(super) fn new(dialect: &Dialect) -> Self {
        let statement = |sql: String| Statement(dialect.with_parameters(&sql).into());
        let quoted = |table: TableName| table.quoted(dialect.quote);
        let (nodes, sessions) = (quoted(TableName::nodes()), quoted(TableName::sessions()));
        let (marks, shared) = (
            quoted(TableName::quota_marks()),
            quoted(TableName::shared()),
        );
        let now = dialect.now_millis;
        // When a server that is alive has beaten last.
        let alive = format!("{now} - {}", NODE_LIFETIME.as_millis());
        let note = dialect.or_update("username, node", &["sessions", "sharing"]);
        Self {
            beat: statement(format!(
                "UPDATE {nodes} SET beat = {now}, sessions = ?, transfers = ? WHERE node = ?"
            )),
            join: statement(format!(
                "INSERT INTO {nodes} (node, beat, sessions, transfers) VALUES (?, {now}, ?, ?){}",
                dialect.or_update("node", &["beat"])
            )),
            live: statement(format!(
                "SELECT node, sessions, transfers FROM {nodes} WHERE beat > {alive} ORDER BY node"
            )),
            dead: statement(format!("SELECT node FROM {nodes} WHERE beat <= {alive}")),
            bury: statement(format!(
                "DELETE FROM {nodes} WHERE node = ? AND beat <= {alive}"
            )),
            users_of: statement(format!("SELECT username FROM {sessions} WHERE node = ?")),
            forget_sessions: statement(format!("DELETE FROM {sessions} WHERE node = ?")),
            forget_marks: statement(format!("DELETE FROM {marks} WHERE node = ?")),
            forget_node: statement(format!("DELETE FROM {nodes} WHERE node = ?")),
            // No server has that name, so the row counts for nobody.
            lock_user: statement(format!(
                "INSERT INTO {sessions} (username, node, sessions, sharing) VALUES (?, '', 0, 0){}",
                dialect.or_update("username, node", &["sessions"])
            )),
            sessions: statement(format!(
                "SELECT n.node, COALESCE(s.sessions, 0), COALESCE(s.sharing, 0) FROM {nodes} n \
                 LEFT JOIN {sessions} s ON s.node = n.node AND s.username = ? \
                 WHERE n.beat > {alive}"
            )),
            note: statement(format!(
                "INSERT INTO {sessions} (username, node, sessions, sharing) VALUES (?, ?, ?, ?){note}"
            )),
            unnote: statement(format!(
                "DELETE FROM {sessions} WHERE username = ? AND node = ?"
            )),
            to_share: statement(format!(
                "SELECT DISTINCT o.username FROM {sessions} o \
                 JOIN {sessions} s ON s.username = o.username AND s.sessions > 0 \
                 JOIN {nodes} n ON n.node = s.node AND n.beat > {alive} \
                 WHERE o.node = ? AND o.sharing = 0 AND s.node <> o.node"
            )),
            shared: statement(format!(
                "SELECT value, version FROM {shared} WHERE name = ?"
            )),
            share_new: statement(format!(
                "INSERT INTO {shared} (name, value, version) VALUES (?, ?, ?)"
            )),
            share: statement(format!(
                "UPDATE {shared} SET value = ?, version = version + 1 WHERE name = ? AND version = ?"
            )),
            unshare: statement(format!(
                "DELETE FROM {shared} WHERE name = ? AND version = ?"
            )),
        }
    }
}
