//! Values of MySQL's types as numbers and texts. Our own tables have few types; a view of somebody else's may have any.

use sqlx::mysql::MySqlRow;
use sqlx::{Column as _, Error, Row as _, TypeInfo as _, ValueRef as _};

use crate::sql::engine::{Row, Value};

/// The columns of a row.
pub(crate) fn read_row(row: &MySqlRow) -> Result<Row, Error> {
    row.columns()
        .iter()
        .map(|column| read(row, column.ordinal(), column.name()))
        .collect()
}

fn read(row: &MySqlRow, index: usize, name: &str) -> Result<Value<'static>, Error> {
    let raw = row.try_get_raw(index)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let unreadable = |source: Box<dyn std::error::Error + Send + Sync>| Error::ColumnDecode {
        index: name.to_owned(),
        source,
    };
    let found = raw.type_info();
    match found.name() {
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => {
            Ok(Value::Int(row.try_get_unchecked(index)?))
        }
        "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED"
        | "BIGINT UNSIGNED" | "YEAR" => {
            let number: u64 = row.try_get_unchecked(index)?;
            Ok(Value::Int(i64::try_from(number).unwrap_or(i64::MAX)))
        }
        // Sums are of this type.
        "DECIMAL" => {
            let text: String = row.try_get_unchecked(index)?;
            let number = whole(&text).ok_or_else(|| unreadable("no number".into()))?;
            Ok(Value::Int(number))
        }
        other @ ("FLOAT" | "DOUBLE" | "DATE" | "TIME" | "DATETIME" | "TIMESTAMP" | "BIT"
        | "GEOMETRY") => Err(unreadable(
            format!("the type {other}, which is neither number nor text").into(),
        )),
        // CHAR, VARCHAR, the four of TEXT and of BLOB, ENUM, JSON.
        _ => {
            let bytes: Vec<u8> = row.try_get_unchecked(index)?;
            let text = String::from_utf8(bytes).map_err(|error| unreadable(error.into()))?;
            Ok(text.into())
        }
    }
}

/// The whole part of a decimal number, within 64 bits.
fn whole(text: &str) -> Option<i64> {
    let whole = text.split('.').next()?;
    let number: i128 = whole.parse().ok()?;
    let bounded = number.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    i64::try_from(bounded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_numbers_lose_what_follows_the_point() {
        assert_eq!(whole("-12.75"), Some(-12));
        assert_eq!(whole("99999999999999999999"), Some(i64::MAX));
        assert_eq!(whole("abc"), None);
    }
}
