//! Reads the rows of our own tables from left to right.

use super::engine::{Row, Value};
use super::table_name::TableName;
use crate::error::{DataError, DataErrorKind, DataResult};

pub(super) struct Fields {
    values: std::vec::IntoIter<Value<'static>>,
    table: TableName,
}

impl Fields {
    pub(super) fn of(row: Row, table: TableName) -> Self {
        Self {
            values: row.into_iter(),
            table,
        }
    }

    pub(super) fn int(&mut self) -> DataResult<i64> {
        match self.values.next() {
            Some(Value::Int(number)) => Ok(number),
            Some(Value::Null | Value::Text(_)) | None => Err(self.corrupt("number")),
        }
    }

    /// A number that was stored as one without a sign.
    pub(super) fn count(&mut self) -> DataResult<u32> {
        let number = self.int()?.max(0);
        Ok(u32::try_from(number).unwrap_or(u32::MAX))
    }

    pub(super) fn text(&mut self) -> DataResult<String> {
        match self.values.next() {
            Some(Value::Text(text)) => Ok(text.into_owned()),
            Some(Value::Null | Value::Int(_)) | None => Err(self.corrupt("text")),
        }
    }

    fn corrupt(&self, what: &str) -> DataError {
        let message = format!("the table {} lacks a {what}", self.table.name());
        DataError::new(DataErrorKind::Corrupt, message)
    }
}
