//! The statements that change counters, with names for their parameters: one text needs some of them several times.

use crate::quota::COUNTER_MAX;
use crate::sql::dialect::{Dialect, Marks};
use crate::sql::engine::{Statement, Value};
use crate::sql::table_name::TableName;

/// What stands for a parameter in the texts below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Files,
    Bytes,
    At,
    User,
    Node,
    Number,
}

const SLOTS: [(&str, Slot); 6] = [
    (":files", Slot::Files),
    (":bytes", Slot::Bytes),
    (":at", Slot::At),
    (":user", Slot::User),
    (":node", Slot::Node),
    (":number", Slot::Number),
];

/// The values of one change.
#[derive(Clone)]
pub(super) struct Parameters<'a> {
    pub(super) files: i64,
    pub(super) bytes: i64,
    pub(super) at: i64,
    pub(super) user: &'a str,
    pub(super) node: &'a str,
    pub(super) number: i64,
}

/// A statement whose parameters have names.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) statement: Statement,
    slots: Vec<Slot>,
}

impl Named {
    fn new(dialect: &Dialect, text: &str) -> Self {
        let mut sql = String::new();
        let mut slots = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(':') {
            sql.push_str(before);
            let named = SLOTS.iter().find_map(|(name, slot)| {
                let name = name.strip_prefix(':')?;
                Some((after.strip_prefix(name)?, *slot))
            });
            if let Some((after, slot)) = named {
                sql.push('?');
                slots.push(slot);
                rest = after;
            } else {
                sql.push(':');
                rest = after;
            }
        }
        sql.push_str(rest);
        Self {
            statement: Statement(dialect.with_parameters(&sql).into()),
            slots,
        }
    }

    /// The values in their places.
    pub(super) fn values(&self, parameters: &Parameters<'_>) -> Vec<Value<'static>> {
        let value = |slot: &Slot| match slot {
            Slot::Files => parameters.files.into(),
            Slot::Bytes => parameters.bytes.into(),
            Slot::At => parameters.at.into(),
            Slot::User => Value::from(parameters.user.to_owned()),
            Slot::Node => Value::from(parameters.node.to_owned()),
            Slot::Number => parameters.number.into(),
        };
        self.slots.iter().map(value).collect()
    }
}

/// The text of every statement, for one dialect and one table.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) reserve: Named,
    pub(super) add: Named,
    pub(super) set: Named,
    /// `username`
    pub(super) usage: Statement,
    /// username, node; gives number
    pub(super) mark: Statement,
    /// username, node
    pub(super) new_mark: Statement,
}

impl Statements {
    /// `marks` says how a change is made once only.
    pub(super) fn new(dialect: &Dialect, users: &TableName, marks: Marks) -> Self {
        let statement = |sql: String| Statement(dialect.with_parameters(&sql).into());
        let quoted = users.quoted(dialect.quote);
        let table = TableName::quota_marks().quoted(dialect.quote);
        // Only a growing counter is compared with its limit, and 0 is no limit.
        let limits = " AND (:files <= 0 OR quota_files <= 0 OR used_quota_files + :files <= quota_files) \
                      AND (:bytes <= 0 OR quota_size <= 0 OR used_quota_size + :bytes <= quota_size)";
        let change = |limits: &str| {
            let text = match marks {
                Marks::Process => plain(dialect, &quoted, limits),
                Marks::With => with(dialect, &quoted, &table, limits),
                Marks::Join => join(dialect, &quoted, &table, limits),
            };
            Named::new(dialect, &text)
        };
        Self {
            reserve: change(limits),
            add: change(""),
            set: Named::new(
                dialect,
                &format!(
                    "UPDATE {quoted} SET used_quota_files = :files, used_quota_size = :bytes, \
                     last_quota_update = :at WHERE username = :user"
                ),
            ),
            usage: statement(format!(
                "SELECT used_quota_files, used_quota_size, last_quota_update FROM {quoted} \
                 WHERE username = ?"
            )),
            mark: statement(format!(
                "SELECT number FROM {table} WHERE username = ? AND node = ?"
            )),
            new_mark: statement(format!(
                "INSERT INTO {table} (username, node, number) VALUES (?, ?, 0){}",
                dialect.or_keep("username, node", "number")
            )),
        }
    }
}

/// What is assigned to the counters.
fn assignments(dialect: &Dialect) -> String {
    format!(
        "used_quota_files = {}, used_quota_size = {}, last_quota_update = :at",
        added(dialect, "used_quota_files", ":files"),
        added(dialect, "used_quota_size", ":bytes"),
    )
}

/// The counter plus a parameter, within its bounds; the counterpart of [`crate::quota::added`].
fn added(dialect: &Dialect, counter: &str, parameter: &str) -> String {
    let (least, greatest) = (dialect.least, dialect.greatest);
    format!("{least}({greatest}({counter} + {parameter}, 0), {COUNTER_MAX})")
}

fn plain(dialect: &Dialect, users: &str, limits: &str) -> String {
    let assignments = assignments(dialect);
    format!("UPDATE {users} SET {assignments} WHERE username = :user{limits}")
}

/// Finds one row if the change is made. The lock on the mark is what a repetition waits for while the first attempt, whose
/// answer was lost, is still at work; a snapshot would not show it the mark.
fn with(dialect: &Dialect, users: &str, marks: &str, limits: &str) -> String {
    let change = plain(dialect, users, limits);
    format!(
        "WITH mark AS (SELECT number FROM {marks} WHERE username = :user AND node = :node FOR UPDATE), \
         done AS ({change} AND EXISTS (SELECT 1 FROM mark WHERE number < :number) RETURNING 1 AS made) \
         UPDATE {marks} SET number = :number \
         WHERE username = :user AND node = :node AND EXISTS (SELECT 1 FROM done)"
    )
}

/// Finds two rows if the change is made.
fn join(dialect: &Dialect, users: &str, marks: &str, limits: &str) -> String {
    let assignments = assignments(dialect);
    format!(
        "UPDATE {users} u JOIN {marks} m ON m.username = :user AND m.node = :node \
         SET {assignments}, m.number = :number \
         WHERE u.username = :user AND m.number < :number{limits}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::sqlite::SQLITE;

    #[test]
    fn each_name_becomes_a_parameter_with_its_value() {
        let named = Named::new(
            &SQLITE,
            "a = :user AND b < :number OR a <> :user OR c = ':x'",
        );
        assert_eq!(&*named.statement.0, "a = ? AND b < ? OR a <> ? OR c = ':x'");
        assert_eq!(named.slots, [Slot::User, Slot::Number, Slot::User]);
    }

    #[test]
    fn every_text_has_a_value_for_each_parameter() {
        let users = TableName::parse("users").unwrap();
        for marks in [Marks::Process, Marks::With, Marks::Join] {
            let statements = Statements::new(&SQLITE, &users, marks);
            for named in [&statements.reserve, &statements.add, &statements.set] {
                let parameters = named.statement.0.matches('?').count();
                assert_eq!(parameters, named.slots.len());
                assert!(!named.statement.0.contains(':'), "{}", named.statement.0);
            }
        }
    }
}
