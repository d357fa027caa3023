//! Values of PostgreSQL's types as numbers and texts. Our own tables have few types; a view of somebody else's may have
//! any.

use sqlx::postgres::{PgRow, PgValueFormat, PgValueRef};
use sqlx::{Column as _, Error, Row as _, TypeInfo as _, ValueRef as _};

use crate::sql::engine::{Row, Value};

/// The columns of a row.
pub(crate) fn read_row(row: &PgRow) -> Result<Row, Error> {
    row.columns()
        .iter()
        .map(|column| {
            let raw = row.try_get_raw(column.ordinal())?;
            read(&raw).map_err(|source| Error::ColumnDecode {
                index: column.name().to_owned(),
                source,
            })
        })
        .collect()
}

type Unreadable = Box<dyn std::error::Error + Send + Sync>;

fn read(raw: &PgValueRef<'_>) -> Result<Value<'static>, Unreadable> {
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let bytes = raw.as_bytes()?;
    let found = raw.type_info();
    let text = |bytes: &[u8]| Ok(Value::from(std::str::from_utf8(bytes)?.to_owned()));
    if raw.format() == PgValueFormat::Text {
        return text(bytes);
    }
    match found.name() {
        "INT2" | "INT4" | "INT8" => Ok(Value::Int(integer(bytes))),
        "BOOL" => Ok(Value::Int(i64::from(bytes != [0]))),
        "NUMERIC" => match numeric(bytes) {
            Some(number) => Ok(Value::Int(number)),
            None => Err("a number without bounds".into()),
        },
        // One byte says which version of the type it is.
        "JSONB" => text(bytes.get(1..).unwrap_or_default()),
        "FLOAT4" | "FLOAT8" | "TIMESTAMP" | "TIMESTAMPTZ" | "DATE" | "TIME" => Err(format!(
            "the type {}, which is neither number nor text",
            found.name()
        )
        .into()),
        // VARCHAR, TEXT, CHAR, NAME, JSON, "UNKNOWN", bytes, and types of extensions such as CITEXT.
        _ => text(bytes),
    }
}

/// A big-endian number of 8 bytes at most.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    bytes
        .iter()
        .fold(start, |number: i64, byte| (number << 8) | i64::from(*byte))
}

/// The whole part of a decimal number, within 64 bits; `None` for what is no number. Sums are of this type.
///
/// Number of digits, weight of the first, sign, digits after the point, then digits of base 10,000.
fn numeric(bytes: &[u8]) -> Option<i64> {
    let mut words = bytes.chunks_exact(2).map(integer);
    let (_count, weight, sign, _scale) =
        (words.next()?, words.next()?, words.next()?, words.next()?);
    let mut whole: i128 = 0;
    let mut digits = words;
    for _ in 0..=weight {
        let digit = i128::from(digits.next().unwrap_or(0));
        whole = whole.saturating_mul(10_000).saturating_add(digit);
    }
    let whole = match sign {
        0 => whole,
        0x4000 => -whole,
        _ => return None,
    };
    let bounded = whole.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    i64::try_from(bounded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_every_width_keep_their_sign() {
        assert_eq!(integer(&[0xff, 0xfe]), -2);
        assert_eq!(integer(&[0, 0, 1, 0]), 256);
        assert_eq!(integer(&i64::MIN.to_be_bytes()), i64::MIN);
        assert_eq!(integer(&i64::MAX.to_be_bytes()), i64::MAX);
    }

    #[test]
    fn decimal_numbers_lose_what_follows_the_point() {
        let number = |weight: i16, sign: u16, digits: &[i16]| {
            let mut bytes = Vec::new();
            bytes.extend(u16::try_from(digits.len()).unwrap().to_be_bytes());
            bytes.extend(weight.to_be_bytes());
            bytes.extend(sign.to_be_bytes());
            bytes.extend([0, 0]);
            digits
                .iter()
                .for_each(|digit| bytes.extend(digit.to_be_bytes()));
            numeric(&bytes)
        };
        assert_eq!(number(0, 0, &[]), Some(0));
        assert_eq!(number(1, 0, &[12, 3456]), Some(123_456));
        assert_eq!(number(1, 0x4000, &[12]), Some(-120_000));
        assert_eq!(number(0, 0, &[7, 5000]), Some(7));
        assert_eq!(number(-1, 0, &[5000]), Some(0));
        assert_eq!(number(30, 0, &[1]), Some(i64::MAX));
        assert_eq!(number(0, 0xc000, &[]), None);
        assert_eq!(numeric(&[]), None);
    }
}
