//! The statement of a part of the user list: only the bounds that are asked for stand in it, so that the index answers it.

use std::ops::Bound;

use super::dialect::Dialect;
use super::engine::{Statement, Value};
use super::migration::OWN_VERSIONS;
use super::record::COLUMNS;
use super::table_name::TableName;
use crate::name_range::NameRange;
use crate::provider::{SortOrder, UserQuery};

/// Writes the statements of one table.
#[derive(Debug)]
pub(super) struct Pages {
    dialect: &'static Dialect,
    /// The table as SQL names it.
    table: String,
    /// What orders by bytes.
    name: String,
}

impl Pages {
    pub(super) fn new(dialect: &'static Dialect, table: &TableName, version: i64) -> Self {
        // A table of ours is of the order of bytes, or has an index that is.
        let own = version >= OWN_VERSIONS && dialect.index_by_name.is_none();
        let name = if own {
            "username".to_owned()
        } else {
            (dialect.by_bytes)("username")
        };
        Self {
            dialect,
            table: table.quoted(dialect.quote),
            name,
        }
    }

    /// The statement of the records and its values; `None` if there can be no such user.
    pub(super) fn records(&self, query: &UserQuery) -> Option<(Statement, Vec<Value<'static>>)> {
        self.statement(query, &COLUMNS.join(", "))
    }

    /// The statement of the names alone: with an index of names the database leaves out those of an offset without a look at
    /// their records.
    pub(super) fn names(&self, query: &UserQuery) -> Option<(Statement, Vec<Value<'static>>)> {
        self.statement(query, "username")
    }

    fn statement(
        &self,
        query: &UserQuery,
        columns: &str,
    ) -> Option<(Statement, Vec<Value<'static>>)> {
        let range = NameRange::of(query);
        if range.is_empty() {
            return None;
        }
        let name = &self.name;
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        let mut condition = |name: &str, operator: &str, text: String| {
            conditions.push(format!("{name} {operator} ?"));
            values.push(Value::from(text));
        };
        if let Some(username) = &query.username {
            condition("username", "=", username.clone());
        }
        match range.lower {
            Bound::Included(lower) => condition(name, ">=", lower),
            Bound::Excluded(lower) => condition(name, ">", lower),
            Bound::Unbounded => {}
        }
        if let Some(upper) = range.upper {
            condition(name, "<", upper);
        }
        let mut sql = format!("SELECT {columns} FROM {}", self.table);
        if !conditions.is_empty() {
            sql = format!("{sql} WHERE {}", conditions.join(" AND "));
        }
        let order = match query.order {
            SortOrder::Ascending => "ASC",
            SortOrder::Descending => "DESC",
        };
        sql = format!("{sql} ORDER BY {name} {order} LIMIT ? OFFSET ?");
        values.push(i64::from(query.limit).into());
        values.push(i64::from(query.offset).into());
        let statement = Statement(self.dialect.with_parameters(&sql).into());
        Some((statement, values))
    }
}
